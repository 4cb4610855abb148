// Runs a program to its end and hands back what it wrote.

import { Fault } from '../base/fault.ts';
import { drain, Output } from './output.ts';
import { signal, signalGroup } from './process.ts';
import { type Child, type Exit, spawn, type SpawnOptions } from './spawn.ts';

export interface RunOptions extends Pick<SpawnOptions, 'file' | 'args' | 'env' | 'cwd'> {
  /** For its standard input, which is empty otherwise. */
  readonly input?: string | Buffer;
  /** How much to keep of each stream; what comes after is read and dropped. */
  readonly limitBytes?: number;
  /** When the caller leaves, all that the program has started is killed with it, unless it made a session of its own. */
  readonly endsAll?: boolean;
}

export interface RunResult {
  readonly exit: Exit;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

const DEFAULT_LIMIT_BYTES = 16 * 1024 * 1024;

/** How long to read on after the program has ended, while something that it started holds its pipes. */
const DRAIN_TIMEOUT_MS = 1000;

/**
 * Runs a program to its end, whatever its exit status.
 *
 * @throws {Fault} unavailable — it cannot be started; and the reason of `call.signal` when that aborts, once
 * the program is killed and reaped
 */
export async function run(call: { readonly signal: AbortSignal }, options: RunOptions): Promise<RunResult> {
  call.signal.throwIfAborted();
  const { input, limitBytes = DEFAULT_LIMIT_BYTES, endsAll = false, ...program } = options;
  const stdin = input === undefined ? 'null' : 'pipe';
  const child = spawn({ ...program, newSession: endsAll, stdin, stdout: 'pipe', stderr: 'pipe' });
  child.stdin?.end(input);
  const [stdout, stderr] = [new Output(child.stdout, limitBytes), new Output(child.stderr, limitBytes)];
  const exit = await exitOrKill(child, call.signal, endsAll ? signalGroup : signal);
  if (!call.signal.aborted) await drain([stdout, stderr], DRAIN_TIMEOUT_MS);
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
  call.signal.throwIfAborted();
  return { exit, stdout: stdout.bytes(), stderr: stderr.bytes() };
}

/**
 * Runs a program that must succeed.
 *
 * @throws {Fault} internal — its exit status is not 0; `detail` has `exitCode` or `killedBy`; and as `run()`
 */
export async function exec(
  call: { readonly signal: AbortSignal },
  options: RunOptions,
): Promise<{ stdout: string; stderr: string }> {
  const { exit, ...output } = await run(call, options);
  const [stdout, stderr] = [output.stdout.toString(), output.stderr.toString()];
  if (exit.kind === 'exited' && exit.code === 0) return { stdout, stderr };
  const lastLine = stderr.trimEnd().split('\n').at(-1) ?? '';
  const detail = exit.kind === 'exited' ? { exitCode: exit.code } : { killedBy: exit.signal };
  const silent = exit.kind === 'exited' ? `exit status ${exit.code}` : `killed by signal ${exit.signal}`;
  const why = lastLine === '' ? silent : lastLine;
  throw new Fault('internal', `${options.file} failed: ${why}`, { detail });
}

/** @returns how it ended; when `abort` aborts it is killed first */
async function exitOrKill(child: Child, abort: AbortSignal, send: typeof signal): Promise<Exit> {
  const kill = () => {
    send(child.identity, 'SIGKILL').catch(() => undefined); // whether it works or not, the end is awaited
  };
  abort.addEventListener('abort', kill, { once: true });
  try {
    return await child.exited;
  } finally {
    abort.removeEventListener('abort', kill);
  }
}
