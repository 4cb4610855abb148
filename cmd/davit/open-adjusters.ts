// What changes the configuration of a container beyond what was asked for, in the order in which it does.

import type { Log } from '../../pkg/base/call.ts';
import type { Config } from '../../pkg/config/config.ts';
import { cdiDevices, inOrder, nodeHooks, type SpecAdjuster } from '../../pkg/pod/spec-adjusters.ts';
import { CdiRegistry } from '../../pkg/runtime/cdi/registry.ts';
import type { FeatureFinder } from '../../pkg/runtime/handler-features.ts';
import { Hooks } from '../../pkg/runtime/hooks/hooks.ts';

export interface Adjusters {
  readonly cdi: CdiRegistry;
  readonly hooks: Hooks;
  readonly adjust: SpecAdjuster;
}

/** @param owned closes them */
export async function openAdjusters(
  config: Config,
  { log, features, owned }: { log: Log; features: FeatureFinder; owned: AsyncDisposableStack },
): Promise<Adjusters> {
  const cdi = owned.use(await CdiRegistry.open(config.cdi.spec_dirs, log));
  const hooks = owned.use(await Hooks.open(config.hooks.dirs, log));
  return { cdi, hooks, adjust: inOrder([cdiDevices({ registry: cdi, features }), nodeHooks(hooks)]) };
}
