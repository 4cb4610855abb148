// Runs one plugin, and says all that it said when it fails. A plugin is another project's program: it may
// hang, talk at length, or not be there.

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { Call } from '../base/call.ts';
import { Fault, type FaultCode } from '../base/fault.ts';
import type { SandboxId } from '../base/id.ts';
import { observed, type Outcome } from '../base/outcome.ts';
import { linkSignals } from '../base/signal.ts';
import { stage } from '../base/timeline.ts';
import { run, type RunResult } from '../sys/exec.ts';
import type { NetworkConfigList, PluginConfig } from './network-config.ts';
import { buildEnvironment, buildGarbageRequest, buildRequest, type CniCommand } from './request.ts';
import type { PodAttachment } from './pod-attachment.ts';

/** How plugins are run: where they are, and how long one may take. */
export interface PluginOptions {
  /** Searched in this order, and nowhere else. */
  readonly binDirs: readonly string[];
  readonly timeoutMs: number;
  readonly observe?: ObservePlugin | undefined;
}

/** Told of every run of a plugin. */
export type ObservePlugin = (
  run: { readonly plugin: string; readonly command: CniCommand },
  outcome: Outcome,
  tookMs: number,
) => void;

export interface PluginCall {
  readonly command: CniCommand;
  readonly list: NetworkConfigList;
  readonly plugin: PluginConfig;
  /** Absent for what concerns no pod. */
  readonly pod?: PodAttachment;
  /** The result of the plugin before, or of the whole ADD. */
  readonly previous?: unknown;
  /** With GC: the pods of the network that there are. */
  readonly valid?: readonly SandboxId[];
}

/** Far more than the largest result; what is beyond is cut off. */
const MAX_OUTPUT_BYTES = 1024 * 1024;
/** Of standard error, in a message. */
const MAX_STDERR_CHARS = 1024;

/** Codes of the CNI specification that callers react to. */
const UNKNOWN_CONTAINER = 3;
const TRY_AGAIN = 11;
const NOT_AVAILABLE = 50;
const LIMITED_CONNECTIVITY = 51;

/**
 * Finds the program of a plugin.
 *
 * @returns `undefined` when no directory has it
 */
export async function findPlugin(binDirs: readonly string[], type: string): Promise<string | undefined> {
  for (const dir of binDirs) {
    const path = join(dir, type);
    const isFile = await stat(path).then(
      (stats) => stats.isFile(),
      () => false,
    );
    if (isFile) return path;
  }
  return undefined;
}

/** @throws {Fault} unavailable — no directory has it */
export async function getPlugin(
  binDirs: readonly string[],
  list: NetworkConfigList,
  plugin: PluginConfig,
): Promise<string> {
  const path = await findPlugin(binDirs, plugin.type);
  if (path !== undefined) return path;
  const dirs = binDirs.map((dir) => `"${dir}"`).join(', ');
  const message = `cannot find plugin "${plugin.type}" of network "${list.name}" ("${list.file}") in ${dirs}`;
  throw new Fault('unavailable', message, {
    detail: { plugin: plugin.type, network: list.name, file: list.file },
  });
}

/**
 * Runs a plugin to its end.
 *
 * @returns what it wrote to standard output
 * @throws {Fault} unavailable — there is no such program, or it asks to be tried again; deadline_exceeded — it
 *   took longer than `timeoutMs` and was killed; cancelled; internal — it failed
 * Source: CNI specification, "Execution Protocol".
 */
export async function runPlugin(call: Call, options: PluginOptions, invocation: PluginCall): Promise<string> {
  const { command, plugin } = invocation;
  return await observed(
    (outcome, tookMs) => options.observe?.({ plugin: plugin.type, command }, outcome, tookMs),
    () => runToResult(call, options, invocation),
  );
}

async function runToResult(call: Call, options: PluginOptions, invocation: PluginCall): Promise<string> {
  const { command, list, plugin, pod } = invocation;
  using _stage = stage(call, `cni ${command.toLowerCase()} ${plugin.type}`);
  const file = await getPlugin(options.binDirs, list, plugin);
  const result = await runUntil(call, options.timeoutMs, invocation, {
    file,
    args: [],
    env: buildEnvironment(command, options.binDirs, pod),
    endsAll: true,
    input: JSON.stringify(toRequest(invocation)),
    limitBytes: MAX_OUTPUT_BYTES,
  });
  if (result.exit.kind === 'exited' && result.exit.code === 0) return result.stdout.toString();
  const failure = describeFailure(result);
  if (command === 'DEL' && failure.cniCode === UNKNOWN_CONTAINER) return ''; // nothing of it is left: that is what we want
  throw pluginFault(
    faultCode(failure.cniCode),
    invocation,
    `${describePlugin(plugin, file)} ${failure.text}`,
    {
      detail: { path: file, ...(failure.cniCode === undefined ? {} : { cniCode: failure.cniCode }) },
    },
  );
}

function toRequest({ list, plugin, pod, previous, valid }: PluginCall): object {
  if (valid !== undefined) return buildGarbageRequest(list, plugin, valid);
  return buildRequest(list, plugin, pod, previous);
}

async function runUntil(
  call: Call,
  timeoutMs: number,
  invocation: PluginCall,
  options: Parameters<typeof run>[1],
): Promise<RunResult> {
  const timeout = AbortSignal.timeout(timeoutMs);
  using linked = linkSignals(call.signal, timeout);
  try {
    return await run({ ...call, signal: linked.signal }, options);
  } catch (cause) {
    const name = describePlugin(invocation.plugin, options.file);
    if (call.signal.aborted || !timeout.aborted) {
      const { code, message } = Fault.from(cause);
      throw pluginFault(code, invocation, `${name} was not run to its end: ${message}`, { cause });
    }
    const problem = `${name} did not answer within ${timeoutMs / 1000} s and was killed`;
    throw pluginFault('deadline_exceeded', invocation, problem, { cause });
  }
}

function describePlugin(plugin: PluginConfig, file: string): string {
  return `plugin "${plugin.type}" ("${file}")`;
}

/** In CNI's words, and bounded. */
const errorSchema = z.object({
  code: z.int(),
  msg: z.string().default(''),
  details: z.string().default(''),
});

interface Failure {
  readonly text: string;
  readonly cniCode?: number;
}

/** `failed with code 7: "invalid config", "no such range"; it wrote: "..."` */
function describeFailure({ exit, stdout, stderr }: RunResult): Failure {
  const error = parseError(stdout) ?? parseError(stderr);
  const text = stderr.toString().trim().slice(-MAX_STDERR_CHARS);
  const wrote = text === '' ? '' : `; it wrote: ${JSON.stringify(text)}`;
  if (error !== undefined) {
    const said = [error.msg, error.details].filter((part) => part !== '').map((part) => quote(part));
    return { text: `failed with code ${error.code}: ${said.join(', ')}${wrote}`, cniCode: error.code };
  }
  const end =
    exit.kind === 'exited' ? `failed with exit code ${exit.code}` : `was killed by signal ${exit.signal}`;
  const said = stdout.toString().trim().slice(-MAX_STDERR_CHARS);
  return { text: said === '' ? `${end}${wrote}` : `${end}: ${quote(said)}${wrote}` };
}

function quote(text: string): string {
  return JSON.stringify(text.trim().slice(0, MAX_STDERR_CHARS));
}

function parseError(output: Buffer): z.output<typeof errorSchema> | undefined {
  try {
    return errorSchema.safeParse(JSON.parse(output.toString())).data;
  } catch {
    return undefined; // plugins that crash write prose
  }
}

function faultCode(cniCode: number | undefined): FaultCode {
  const passing = cniCode === TRY_AGAIN || cniCode === NOT_AVAILABLE || cniCode === LIMITED_CONNECTIVITY;
  return passing ? 'unavailable' : 'internal';
}

const DOING: Readonly<Record<CniCommand, string>> = {
  ADD: 'add pod to',
  DEL: 'remove pod from',
  CHECK: 'check pod in',
  STATUS: 'use',
  GC: 'clean up',
};

function pluginFault(
  code: FaultCode,
  { command, list, plugin, pod }: PluginCall,
  problem: string,
  { detail = {}, cause }: ConstructorParameters<typeof Fault>[2] = {},
): Fault {
  const who = pod === undefined ? '' : ` "${pod.namespace}/${pod.name}"`;
  const doing = pod === undefined ? DOING[command] : DOING[command].replace('pod', `pod${who}`);
  return new Fault(code, `cannot ${doing} network "${list.name}" ("${list.file}"): ${problem}`, {
    detail: { command, plugin: plugin.type, network: list.name, file: list.file, ...detail },
    cause,
  });
}
