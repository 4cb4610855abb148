// What becomes of a container's output in conmon. A log that cannot be written does not hold up the container:
// conmon drops what does not fit and tells nobody, so that it is the kernel who is asked.

import { constants } from 'node:fs';
import { open, readdir, readFile, readlink, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isErrno } from '../sys/errno.ts';

/** What a conmon has read, from its container, and written, to the log and to whoever is attached. */
export interface LogTraffic {
  readonly readBytes: number;
  readonly writtenBytes: number;
}

/** Source: proc_pid_io(5). @returns `undefined` if it is gone, or the kernel does not count */
export async function readLogTraffic(pid: number): Promise<LogTraffic | undefined> {
  const text = await readFile(`/proc/${pid}/io`, 'utf8').catch(() => '');
  const [readBytes, writtenBytes] = ['rchar', 'wchar'].map((name) => numberOf(text, name));
  if (readBytes === undefined || writtenBytes === undefined) return undefined;
  return { readBytes, writtenBytes };
}

function numberOf(text: string, name: string): number | undefined {
  const digits = new RegExp(`^${name}: (\\d+)$`, 'm').exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** conmon reads so much at once; between that and its writing we may have looked. */
const BUFFER_BYTES = 8192;

/**
 * The least that conmon has dropped in between: each line grows by its time and stream when it is written, so
 * what is written of all that was read is never less than that.
 *
 * @param grownBytes by how much at the most its log has grown, if that is still the same file: what it writes for
 * each line that it drops, to its own standard error, is no log
 */
export function droppedBytes(before: LogTraffic, after: LogTraffic, grownBytes = Infinity): number {
  const read = after.readBytes - before.readBytes;
  const dropped = read - Math.min(grownBytes, after.writtenBytes - before.writtenBytes);
  return dropped > BUFFER_BYTES ? dropped : 0;
}

/**
 * Adds a line to the log that conmon is writing, on a line of its own.
 *
 * @returns whether it was: not while the disk is full, nor if conmon would write over it, as 2.1 does once it
 * has reopened the log and could not be made to append
 */
export async function addLogLine(pid: number, logPath: string, text: string): Promise<boolean> {
  try {
    if (!(await appends(pid, logPath))) return false;
    await using file = await open(logPath, constants.O_RDWR | constants.O_APPEND | constants.O_NOFOLLOW);
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read(Buffer.alloc(1), 0, 1, Math.max(0, size - 1));
    const isCut = bytesRead === 1 && buffer[0] !== NEWLINE; // where the disk was full
    const line = Buffer.from(`${isCut ? '\n' : ''}${new Date().toISOString()} stderr F ${text}\n`);
    const { bytesWritten } = await file.write(line);
    return bytesWritten === line.length;
  } catch (error) {
    if (isErrno(error, 'ENOSPC', 'EDQUOT', 'ENOENT', 'ENOTDIR', 'EROFS', 'EIO', 'ELOOP')) return false;
    throw error;
  }
}

const NEWLINE = 0x0a;

/** The last bytes of a log; '' of one that cannot be read. A pod may have put something else in its place. */
export async function readEnd(logPath: string, limitBytes: number): Promise<string> {
  try {
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    await using file = await open(logPath, flags);
    const stats = await file.stat();
    if (!stats.isFile()) return '';
    const start = Math.max(0, stats.size - limitBytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(limitBytes), 0, limitBytes, start);
    return buffer.toString('utf8', 0, bytesRead);
  } catch {
    return '';
  }
}

export interface LogFile {
  readonly inode: number;
  readonly sizeBytes: number;
}

/** The log that conmon is writing, if that has no name any more. */
export async function deletedLog(pid: number, logPath: string): Promise<LogFile | undefined> {
  const dir = `/proc/${pid}/fd`;
  for (const fd of await readdir(dir)) {
    const found = await stat(join(dir, fd)).catch(() => undefined);
    if (found?.isFile() !== true || found.nlink > 0) continue;
    const name = await readlink(join(dir, fd)).catch(() => '');
    if (name.endsWith(`/${basename(logPath)} (deleted)`)) return { inode: found.ino, sizeBytes: found.size };
  }
  return undefined;
}

/** Whether the process has the file open, and each of its writes goes to the end of it. */
async function appends(pid: number, path: string): Promise<boolean> {
  const { dev, ino } = await stat(path);
  for (const fd of await readdir(`/proc/${pid}/fd`)) {
    const found = await stat(join(`/proc/${pid}/fd`, fd)).catch(() => undefined);
    if (found?.ino !== ino || found.dev !== dev) continue;
    const flags = /^flags:\s+0(\d+)$/m.exec(await readFile(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))?.[1] ?? '0';
    return (parseInt(flags, 8) & constants.O_APPEND) !== 0;
  }
  return false;
}
