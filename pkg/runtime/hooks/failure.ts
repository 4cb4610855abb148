// Finds out which hook it was that failed. Runtimes name its stage and number, or its program; people know the
// file or the device that brought it.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { Fault } from '../../base/fault.ts';
import { HOOK_STAGES, hookNamesKey, type HookStage } from '../oci-hooks.ts';

const configSchema = z.object({
  annotations: z.record(z.string(), z.string()).default({}),
  hooks: z.partialRecord(z.enum(HOOK_STAGES), z.array(z.object({ path: z.string() }))).default({}),
});

/** When a command of the runtime runs hooks whose failure is its own. Source: runc, libcontainer. */
const STAGES_OF = {
  create: ['prestart', 'createRuntime', 'createContainer', 'poststart'], // the last with runc 1.1
  start: ['poststart'],
} as const;

/** `error running createRuntime hook #0: exit status 1` of runc, before 1.2 without the stage. */
const BY_NUMBER = /\brunning (?:(\w+) )?hook #(\d+)/;
/** `error executing hook \`/bin/x\` (exit code: 1)` of crun. */
const BY_PROGRAM = /\berror executing hook [`'"]([^`'"]+)[`'"]/;

/**
 * Runs a command of the runtime, whose failure then has the name of the hook that failed, if one did. Where the
 * runtime leaves open which of several it was, they are all named.
 *
 * @param bundle of the container
 */
export async function withHookNames<T>(
  bundle: string,
  command: keyof typeof STAGES_OF,
  run: () => Promise<T>,
): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw await nameFailedHook(bundle, STAGES_OF[command], error);
  }
}

/** @returns `error` itself when no hook failed, or none of ours */
async function nameFailedHook(
  bundle: string,
  stages: readonly HookStage[],
  error: unknown,
): Promise<unknown> {
  const fault = Fault.from(error);
  if (!BY_NUMBER.test(fault.message) && !BY_PROGRAM.test(fault.message)) return error;
  const names = await findNames(bundle, stages, fault.message).catch(() => []); // the fault is what matters
  if (names.length === 0) return error;
  const quoted = names.map((name) => `"${name}"`).join(' or ');
  return new Fault(fault.code, `hook ${quoted} failed: ${fault.message}`, {
    detail: { ...fault.detail, hooks: names.join(' ') },
    cause: error,
  });
}

async function findNames(bundle: string, stages: readonly HookStage[], message: string): Promise<string[]> {
  const text = await readFile(join(bundle, 'config.json'), 'utf8');
  const { annotations, hooks } = configSchema.parse(JSON.parse(text));
  const [, stage, number] = BY_NUMBER.exec(message) ?? [];
  const program = BY_PROGRAM.exec(message)?.[1];
  const found = stages
    .filter((candidate) => stage === undefined || stage === candidate)
    .map((candidate) => {
      const names = annotations[hookNamesKey(candidate)]?.split('\n') ?? [];
      const index = number ?? hooks[candidate]?.findIndex(({ path }) => path === program) ?? -1;
      return names[Number(index)];
    });
  return [...new Set(found.filter((name) => name !== undefined))];
}
