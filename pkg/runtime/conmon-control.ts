// Telling a running conmon to reopen its log or to resize its terminal: lines written to a fifo in the bundle.

import { constants } from 'node:fs';
import { open, readdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { abortable } from '../async/abortable.ts';
import type { Call } from '../base/call.ts';
import { Fault } from '../base/fault.ts';
import { linkSignals } from '../base/signal.ts';
import { makeAppend } from '../sys/append.ts';
import { isErrno } from '../sys/errno.ts';
import { isAlive, type ProcessIdentity } from '../sys/process-identity.ts';
import { watchDirectory } from '../sys/watch.ts';
import type { ShimLocation } from './shim.ts';

const RESIZE = 1;
const REOPEN_LOG = 2;

/** It takes conmon a millisecond or two. */
const REOPEN_TIMEOUT_MS = 10_000;

/**
 * Has conmon make a new file at `logPath`, waits until it is there, and has conmon append to it, as 2.1 does by itself
 * only before it has reopened a log: then others can add lines.
 *
 * conmon replaces what is there: while the path still names the file that it writes, it is not told anything.
 * It dies if it cannot make the file, so that it is tried first whether one can be made.
 *
 * @throws {Fault} failed_precondition — conmon or the directory is gone, or no file can be made in it;
 * deadline_exceeded — conmon keeps silent
 */
export async function reopenLog(call: Call, location: ShimLocation, logPath: string): Promise<void> {
  call.signal.throwIfAborted();
  const { id, shim } = location;
  const before = await fileAt(logPath);
  if (before !== undefined && (await descriptorOf(shim, before)) !== undefined) return;
  if (!(await isAlive(shim))) throw shimGone(id);
  if ((await fileAt(dirname(logPath))) === undefined) {
    const message = `cannot reopen log of container "${id}": there is no directory "${dirname(logPath)}"`;
    throw new Fault('failed_precondition', message, { detail: { id } });
  }
  await expectRoomFor(id, logPath);
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  promise.catch(() => undefined); // it may fail before it is waited for, which would end the daemon
  const look = async (): Promise<void> => {
    const now = await fileAt(logPath);
    if (now !== undefined && now !== before) resolve(undefined);
  };
  using _watch = watchDirectory(
    dirname(logPath),
    (name) => {
      if (name === basename(logPath)) look().catch(reject);
    },
    reject,
  );
  await tell(location, `${REOPEN_LOG} 0 0\n`);
  await awaitReopened(call, promise, id);
  const after = await fileAt(logPath);
  const fd = after === undefined ? undefined : await descriptorOf(shim, after);
  if (fd !== undefined) await makeAppend(shim, fd);
}

async function expectRoomFor(id: string, logPath: string): Promise<void> {
  const path = `${logPath}.davit`;
  try {
    await rm(path, { force: true }); // of a daemon that died here
    await using _file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    await rm(path);
  } catch (cause) {
    const message = `cannot reopen log of container "${id}": no file can be made in "${dirname(logPath)}"`;
    throw new Fault('failed_precondition', message, { detail: { id }, cause });
  }
}

async function awaitReopened(call: Call, reopened: Promise<undefined>, id: string): Promise<void> {
  using either = linkSignals(call.signal, AbortSignal.timeout(REOPEN_TIMEOUT_MS));
  try {
    await abortable(reopened, either.signal);
  } catch (cause) {
    if (!either.signal.aborted || call.signal.aborted) throw cause;
    throw new Fault('deadline_exceeded', `cannot reopen log of container "${id}": conmon keeps silent`, {
      cause,
    });
  }
}

export async function resizeTerminal(
  location: ShimLocation,
  { rows, columns }: { readonly rows: number; readonly columns: number },
): Promise<void> {
  await tell(location, `${RESIZE} ${rows} ${columns}\n`);
}

/** Opening a fifo would wait for its reader, which may be dead: hence O_NONBLOCK. Source: fifo(7). */
async function tell({ id, bundle }: ShimLocation, line: string): Promise<void> {
  try {
    await using fifo = await open(
      join(bundle, 'ctl'),
      constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW,
    );
    await fifo.write(line);
  } catch (cause) {
    if (isErrno(cause, 'ENXIO', 'ENOENT', 'EPIPE')) throw shimGone(id, cause);
    if (isErrno(cause, 'EAGAIN'))
      throw new Fault('unavailable', `conmon of container "${id}" keeps silent`, { cause });
    throw cause;
  }
}

function shimGone(id: string, cause?: unknown): Fault {
  return new Fault('failed_precondition', `conmon of container "${id}" is gone`, { detail: { id }, cause });
}

/** Which file a path leads to, as `device:inode`, or `undefined` if to none. */
async function fileAt(path: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await stat(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** By which descriptor a process has the file open, if it has. One that is gone has none. */
async function descriptorOf({ pid }: ProcessIdentity, file: string): Promise<number | undefined> {
  const dir = `/proc/${pid}/fd`;
  try {
    const names = await readdir(dir);
    const files = await Promise.all(names.map((name) => fileAt(join(dir, name))));
    const name = names[files.indexOf(file)];
    return name === undefined ? undefined : Number(name);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return undefined;
    throw error;
  }
}
