// The one place where something other than the request changes what a container becomes: CDI devices, then the
// hooks of the node, which see all the rest. A plugin, as of NRI, would be one more adjuster, before the hooks.

import type { Call } from '../base/call.ts';
import { Fault } from '../base/fault.ts';
import { devicesAskedFor } from '../runtime/cdi/device-name.ts';
import { planEdits } from '../runtime/cdi/edit-spec.ts';
import type { CdiRegistry, NamedEdits } from '../runtime/cdi/registry.ts';
import type { FeatureFinder } from '../runtime/handler-features.ts';
import type { Hooks } from '../runtime/hooks/hooks.ts';
import { addHooks } from '../runtime/oci-hooks.ts';
import type { OciSpec } from '../runtime/oci-spec.ts';
import type { Ingredients } from './ingredients.ts';

/**
 * Called before anything is done for the container: it refuses what cannot be had.
 *
 * @returns called with the finished configuration, before it is written
 */
export type SpecAdjuster = (call: Call, ingredients: Ingredients) => Promise<AdjustSpec>;
export type AdjustSpec = (spec: OciSpec) => Promise<OciSpec>;

/** All of them, one after the other. */
export function inOrder(adjusters: readonly SpecAdjuster[]): SpecAdjuster {
  return async (call, ingredients) => {
    const planned: AdjustSpec[] = [];
    for (const adjuster of adjusters) planned.push(await adjuster(call, ingredients));
    return async (spec) => {
      let adjusted = spec;
      for (const adjust of planned) adjusted = await adjust(adjusted);
      return adjusted;
    };
  };
}

export interface CdiDeps {
  readonly registry: Pick<CdiRegistry, 'resolve'>;
  readonly features: Pick<FeatureFinder, 'find'>;
}

/** @throws {Fault} invalid_argument — a device is not there; unimplemented — the runtime cannot give it */
export function cdiDevices({ registry, features }: CdiDeps): SpecAdjuster {
  return async (call, { config, container }) => {
    const wanted = await registry.resolve(devicesAskedFor(config.cdiDevices, config.annotations));
    await checkNetDevices(features, call, { wanted, handler: container.handler });
    const edit = await planEdits(call, wanted);
    return (spec) => Promise.resolve(edit(spec));
  };
}

/** A runtime that does not know them would leave them out without a word. */
async function checkNetDevices(
  features: Pick<FeatureFinder, 'find'>,
  call: Call,
  { wanted, handler }: { readonly wanted: readonly NamedEdits[]; readonly handler: string },
): Promise<void> {
  const device = wanted.find(({ edits: { netDevices = [] } }) => netDevices.length > 0);
  if (device === undefined || (await features.find(call, handler)).networkDevices) return;
  throw new Fault(
    'unimplemented',
    `cannot use CDI device "${device.name}": runtime handler "${handler}" cannot move network devices`,
    { detail: { handler } },
  );
}

export function nodeHooks(hooks: Pick<Hooks, 'select'>): SpecAdjuster {
  return (_, { config, sandbox }) =>
    Promise.resolve(async (spec: OciSpec) => {
      const annotations = { ...sandbox.config.annotations, ...config.annotations };
      const [command = ''] = spec.process.args;
      return addHooks(
        spec,
        await hooks.select({ command, annotations, hasBindMounts: config.mounts.length > 0 }),
      );
    });
}
