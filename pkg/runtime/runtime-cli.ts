// The command line that all OCI runtimes share: runc's. Each call has the deadline of its `Call`, or a sooner one
// of its own; at that moment the program is killed, and what it had done by then is for the caller to find out.

import * as z from 'zod';
import type { Call } from '../base/call.ts';
import type { Fault } from '../base/fault.ts';
import { observed, type Outcome } from '../base/outcome.ts';
import { limitTime } from '../base/time-limit.ts';
import { stage } from '../base/timeline.ts';
import { decode } from '../codec/decode.ts';
import { run, type RunResult } from '../sys/exec.ts';
import type { Exit } from '../sys/spawn.ts';
import type { RuntimeHandler } from './handlers.ts';
import { encodeOciJson } from './oci-json.ts';
import { toOciResources, type Accounting, type ResourcesInput } from './resources.ts';
import { parseRuntimeError, runtimeFault } from './runtime-error.ts';

export interface RuntimeState {
  readonly status: 'creating' | 'created' | 'running' | 'paused' | 'stopped';
  /** 0 once it is stopped. */
  readonly pid: number;
}

const stateSchema = z.object({
  status: z.enum(['creating', 'created', 'running', 'paused', 'stopped']),
  pid: z.int().min(0).default(0),
});

/** Arguments that every call of the program begins with. */
export function globalArgs({ root, systemdCgroup, options }: RuntimeHandler): string[] {
  return ['--root', root, ...(systemdCgroup ? ['--systemd-cgroup'] : []), ...options];
}

export interface OciCliOptions {
  /** Whether the kernel limits swap per cgroup. */
  readonly swapAccounting: boolean;
  readonly hugepageAccounting?: boolean;
  /** How long one call of the program may take, should its caller have more patience. */
  readonly timeoutMs?: number;
  /** Told of every call of the program: `start`, `kill`, `delete`. */
  readonly observe?: (command: string, outcome: Outcome, tookMs: number) => void;
}

export class OciCli {
  readonly #accounting: Accounting;
  readonly #timeoutMs: number | undefined;
  readonly #observe: OciCliOptions['observe'];

  constructor({ observe, timeoutMs, ...accounting }: OciCliOptions) {
    this.#accounting = accounting;
    this.#timeoutMs = timeoutMs;
    this.#observe = observe;
  }

  /**
   * Lets the created process run the container's program.
   *
   * @returns what it complained of all the same
   * @throws {Fault} internal — the runtime refused
   */
  async start(call: Call, handler: RuntimeHandler, id: string): Promise<string> {
    using _stage = stage(call, 'runtime start');
    const command = { args: ['start', id], what: `start container "${id}"` };
    return (await this.#do(call, handler, command)).stderr.toString();
  }

  /**
   * Signals the container's first process, or with `all` every one.
   *
   * @returns whether it was there to be signalled
   */
  async kill(
    call: Call,
    handler: RuntimeHandler,
    id: string,
    options: { readonly signal: NodeJS.Signals; readonly all?: boolean },
  ): Promise<boolean> {
    const args = ['kill', ...(options.all === true ? ['--all'] : []), id, options.signal];
    const result = await this.#run(call, handler, args);
    if (isSuccess(result.exit)) return true;
    const status = (await this.state(call, handler, id))?.status;
    if (status === undefined || status === 'stopped') return false;
    throw toFault(`signal container "${id}"`, result);
  }

  /**
   * Makes the runtime forget a container that has stopped. That it has done so already is fine.
   *
   * @param options.force kills what runs still
   * @returns what it complained of all the same
   */
  async delete(
    call: Call,
    handler: RuntimeHandler,
    id: string,
    options: { readonly force: boolean },
  ): Promise<string> {
    const args = ['delete', ...(options.force ? ['--force'] : []), id];
    const result = await this.#run(call, handler, args);
    if (isSuccess(result.exit) || isAbsent(result)) return result.stderr.toString();
    throw toFault(`delete container "${id}"`, result);
  }

  /** @returns `undefined` if the runtime does not know the container */
  async state(call: Call, handler: RuntimeHandler, id: string): Promise<RuntimeState | undefined> {
    const result = await this.#run(call, handler, ['state', id]);
    if (isSuccess(result.exit)) return decodeState(result.stdout.toString(), handler, id);
    if (isAbsent(result)) return undefined;
    throw toFault(`ask for the state of container "${id}"`, result);
  }

  /** Changes the limits of a container that runs; what `resources` does not say stays as it is. */
  async update(call: Call, handler: RuntimeHandler, id: string, resources: ResourcesInput): Promise<void> {
    const input = encodeOciJson(toOciResources(resources, this.#accounting));
    const args = ['update', '--resources', '-', id];
    await this.#do(call, handler, { args, input, what: `update resources of container "${id}"` });
  }

  /** What the program calls itself: `runc`, `1.1.5+ds1`. Other first lines give '' for the version. */
  async version(call: Call, handler: RuntimeHandler): Promise<{ name: string; version: string }> {
    const { stdout } = await this.#do(call, handler, {
      args: ['--version'],
      what: `ask runtime "${handler.path}" for its version`,
    });
    const [name = '', , version = ''] = stdout.toString().split('\n', 1)[0]?.split(' ') ?? [];
    return { name, version };
  }

  /** The runtime's own account of what it can do, or `undefined` from a runtime that gives none. Source: features.md. */
  async features(call: Call, handler: RuntimeHandler): Promise<unknown> {
    const { exit, stdout } = await this.#run(call, handler, ['features']);
    if (!isSuccess(exit)) return undefined;
    return parseJson(stdout.toString());
  }

  async #do(
    call: Call,
    handler: RuntimeHandler,
    command: { readonly args: readonly string[]; readonly what: string; readonly input?: string },
  ): Promise<RunResult> {
    const result = await this.#run(call, handler, command.args, command.input);
    if (isSuccess(result.exit)) return result;
    throw toFault(command.what, result);
  }

  async #run(
    call: Call,
    handler: RuntimeHandler,
    args: readonly string[],
    input?: string,
  ): Promise<RunResult> {
    const program = {
      file: handler.path,
      args: [...globalArgs(handler), ...args],
      limitBytes: MAX_OUTPUT_BYTES,
    };
    const silent = (limitMs: number): string =>
      `runtime "${handler.path}" did not end within ${limitMs} ms: ${args.slice(0, 2).join(' ')}`;
    using limit = limitTime(call.signal, this.#timeoutMs, silent);
    return await observed(
      (outcome, tookMs) => this.#observe?.(args[0] ?? '', outcome, tookMs),
      () => run(limit, input === undefined ? program : { ...program, input }),
      outcomeOf,
    );
  }
}

const MAX_OUTPUT_BYTES = 1024 * 1024;

function isSuccess(exit: Exit): boolean {
  return exit.kind === 'exited' && exit.code === 0;
}

/** There is no exit code for it, so the words of runc and crun must do. */
function isAbsent({ stderr }: RunResult): boolean {
  return /does not exist|no such file or directory/i.test(parseRuntimeError(stderr.toString()));
}

function outcomeOf(result: RunResult): Outcome {
  if (isSuccess(result.exit)) return 'ok';
  return isAbsent(result) ? 'not_found' : 'internal';
}

function toFault(what: string, { exit, stderr }: RunResult): Fault {
  const end =
    exit.kind === 'exited'
      ? `the runtime's exit code is ${exit.code}`
      : `signal ${exit.signal} ended the runtime`;
  return runtimeFault(what, stderr.toString(), end);
}

function decodeState(text: string, handler: RuntimeHandler, id: string): RuntimeState {
  return decode(
    stateSchema,
    parseJson(text),
    `the answer of "${handler.path}" about container "${id}"`,
    'internal',
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
