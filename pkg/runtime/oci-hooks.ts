// The hooks of an OCI runtime: programs that it runs at certain moments of a container's life. The runtime knows
// them by their number only; we keep beside them who asked for each, so that a failure can be told by name.

import type { OciHook, OciHooks, OciSpec } from './oci-spec.ts';

/** Source: config.md of the OCI runtime specification, "POSIX-platform Hooks". */
export const HOOK_STAGES = [
  'prestart',
  'createRuntime',
  'createContainer',
  'startContainer',
  'poststart',
  'poststop',
] as const;

export type HookStage = (typeof HOOK_STAGES)[number];

export interface NamedHook {
  readonly stage: HookStage;
  /** Of the file or the device that asks for it. */
  readonly name: string;
  readonly hook: OciHook;
}

export const HOOK_NAMES_PREFIX = 'davit.hooks/';

/** An annotation for each stage: the names of its hooks, in their order, one a line. */
export function hookNamesKey(stage: string): string {
  return `${HOOK_NAMES_PREFIX}${stage}`;
}

/** The hooks of a stage run in the order in which they were added. */
export function addHooks(spec: OciSpec, added: readonly NamedHook[]): OciSpec {
  if (added.length === 0) return spec;
  const hooks: OciHooks = { ...spec.hooks };
  const annotations: Record<string, string> = { ...spec.annotations };
  for (const { stage, name, hook } of added) {
    const key = hookNamesKey(stage);
    hooks[stage] = [...(hooks[stage] ?? []), hook];
    annotations[key] = annotations[key] === undefined ? name : `${annotations[key]}\n${name}`;
  }
  return { ...spec, hooks, annotations };
}
