// Runs a command in a container to its end and hands back what it wrote.

import { abortable } from '../async/abortable.ts';
import type { Call } from '../base/call.ts';
import { limitTime } from '../base/time-limit.ts';
import { drain, Output } from '../sys/output.ts';
import { ExecSession, type ExecDeps, type ExecPlace } from './exec-session.ts';

export type { ExecDeps } from './exec-session.ts';

export interface ExecRequest extends ExecPlace {
  readonly args: readonly string[];
  /** How long the command may take; absent or 0 for as long as it likes. */
  readonly timeoutMs?: number | undefined;
}

export interface ExecResult {
  /** The bytes as written; of more than 16 MiB the first 16. */
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** 0 to 255; 128 + n for a death by signal n. */
  readonly exitCode: number;
}

/** CRI: "The runtime should cap the output at 16 MiB", while the command goes on. */
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

/** How long to read on after the command's end, while something that it started keeps its pipes open. */
const DRAIN_TIMEOUT_MS = 1000;

/** Should the daemon die, nobody else would end the command in time. */
const ORPHAN_GRACE_MS = 30_000;

/**
 * @throws {Fault} deadline_exceeded — `timeoutMs` passed; invalid_argument — the container has no such program,
 * or may not run it; internal — the runtime refused; and the reason of `call.signal`. When it throws, the
 * command and all that it started is gone.
 */
export async function execSync(deps: ExecDeps, call: Call, request: ExecRequest): Promise<ExecResult> {
  const { args, timeoutMs = 0 } = request;
  const tooLong = (limitMs: number): string =>
    `command in container "${request.id}" timed out after ${limitMs} ms`;
  using either = limitTime(call.signal, timeoutMs, tooLong);
  await using session = await ExecSession.start(deps, { ...call, signal: either.signal }, request, {
    ...{ args, tty: false, stdin: false, stdout: true, stderr: true },
    orphanTimeoutMs: timeoutMs > 0 ? timeoutMs + ORPHAN_GRACE_MS : undefined,
  });
  const stdout = new Output(session.stdout, MAX_OUTPUT_BYTES);
  const stderr = new Output(session.stderr, MAX_OUTPUT_BYTES);
  const exitCode = await abortable(session.ended(), either.signal);
  await drain([stdout, stderr], DRAIN_TIMEOUT_MS);
  return { stdout: stdout.bytes(), stderr: stderr.bytes(), exitCode };
}
