// Tells in the timeline which hooks ran, and within which command of the runtime. When each of them begins and ends
// the runtime keeps to itself.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { Call } from '../../base/call.ts';
import { stage } from '../../base/timeline.ts';
import { HOOK_NAMES_PREFIX, hookNamesKey, type HookStage } from '../oci-hooks.ts';

/** When the specification has them run. runc before 1.2 runs those of `poststart` at the end of `create`. */
const STAGES_OF = {
  create: ['prestart', 'createRuntime', 'createContainer'],
  start: ['startContainer', 'poststart'],
} as const satisfies Record<string, readonly HookStage[]>;

const configSchema = z.object({ annotations: z.record(z.string(), z.string()).default({}) });

const NOTHING: Disposable = { [Symbol.dispose]: () => undefined };

/**
 * Notes a stage, until it is disposed: `hooks createRuntime 10-nvidia.json, 20-log.json`. None if no hook of ours
 * runs.
 *
 * @param bundle of the container
 */
export async function noteHooks(
  call: Pick<Call, 'timeline'>,
  bundle: string,
  command: keyof typeof STAGES_OF,
): Promise<Disposable> {
  if (call.timeline === undefined) return NOTHING;
  const annotations = await readAnnotations(bundle).catch(() => ({})); // the runtime will say what is wrong with it
  const found = STAGES_OF[command].flatMap((each) => toWords(each, annotations));
  return found.length === 0 ? NOTHING : stage(call, `hooks ${found.join('; ')}`);
}

function toWords(each: HookStage, annotations: Readonly<Record<string, string>>): string[] {
  const names = annotations[hookNamesKey(each)]?.split('\n');
  return names === undefined ? [] : [`${each} ${names.join(', ')}`];
}

/** Most containers have no hooks, and a text that long is not worth parsing for that. */
async function readAnnotations(bundle: string): Promise<Readonly<Record<string, string>>> {
  const text = await readFile(join(bundle, 'config.json'), 'utf8');
  return text.includes(`"${HOOK_NAMES_PREFIX}`) ? configSchema.parse(JSON.parse(text)).annotations : {};
}
