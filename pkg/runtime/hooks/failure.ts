// Finds out which hook it was that failed. Runtimes name its stage and number, or its program; people know the
// file or the device that brought it.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { Fault } from '../../base/fault.ts';
import { HOOK_STAGES, hookNamesKey, type HookStage } from '../oci-hooks.ts';
import { parseRuntimeError } from '../runtime-error.ts';
import { readEnd } from '../conmon-log.ts';

const configSchema = z.object({
  annotations: z.record(z.string(), z.string()).default({}),
  hooks: z.partialRecord(z.enum(HOOK_STAGES), z.array(z.object({ path: z.string() }))).default({}),
});

/** When a command of the runtime runs hooks whose failure is its own. Source: runc, libcontainer. */
const STAGES_OF = {
  create: ['prestart', 'createRuntime', 'createContainer', 'poststart'], // the last with runc 1.1
  start: ['poststart'],
  delete: ['poststop'],
} as const;

export type HookCommand = keyof typeof STAGES_OF;

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
  command: HookCommand,
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
  const names = await findNames(bundle, stages, fault.message);
  if (names.length === 0) return error;
  return new Fault(fault.code, describe(names, fault.message), {
    detail: { ...fault.detail, hooks: names.join(' ') },
    cause: error,
  });
}

/**
 * Which hook failed in a command that succeeded all the same, as those do that come too late to undo anything.
 *
 * @param said what the runtime wrote to its standard error
 * @returns a sentence for people; `undefined` if none did, or none of ours
 */
export async function findFailedHook(
  bundle: string,
  command: HookCommand,
  said: string,
): Promise<string | undefined> {
  const message = parseRuntimeError(said);
  const names = await findNames(bundle, STAGES_OF[command], message);
  return names.length === 0 ? undefined : describe(names, message);
}

/** What a runtime says of it is not much. */
const END_BYTES = 4096;

/**
 * As `findFailedHook()`, of a container that has ended. Hooks of the stage `startContainer` run in it, in place of its
 * program: all that a runtime can do then is to write to the container's standard error. The container can write the
 * same, and deceive nobody but those who ask for its status.
 */
export async function findFailedStart(bundle: string, logPath: string): Promise<string | undefined> {
  const lines = (await readEnd(logPath, END_BYTES)).split('\n');
  const said = lines.findLast((line) => BY_NUMBER.test(line) || BY_PROGRAM.test(line)) ?? '';
  const message = parseRuntimeError(said.replace(/^\S+ stderr [FP] /, ''));
  const names = await findNames(bundle, ['startContainer'], message);
  return names.length === 0 ? undefined : describe(names, message);
}

function describe(names: readonly string[], message: string): string {
  return `hook ${names.map((name) => `"${name}"`).join(' or ')} failed: ${message}`;
}

/** Of all that may have been meant; none if that cannot be found out, since the failure is what matters. */
async function findNames(bundle: string, stages: readonly HookStage[], message: string): Promise<string[]> {
  const [, stage, number] = BY_NUMBER.exec(message) ?? [];
  const program = BY_PROGRAM.exec(message)?.[1];
  if (number === undefined && program === undefined) return [];
  const { annotations, hooks } = await readConfig(bundle);
  const found = stages
    .filter((candidate) => stage === undefined || stage === candidate)
    .map((candidate) => {
      const names = annotations[hookNamesKey(candidate)]?.split('\n') ?? [];
      const index = number ?? hooks[candidate]?.findIndex(({ path }) => path === program) ?? -1;
      return names[Number(index)];
    });
  return [...new Set(found.filter((name) => name !== undefined))];
}

async function readConfig(bundle: string): Promise<z.output<typeof configSchema>> {
  try {
    return configSchema.parse(JSON.parse(await readFile(join(bundle, 'config.json'), 'utf8')));
  } catch {
    return { annotations: {}, hooks: {} };
  }
}
