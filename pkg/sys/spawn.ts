// The one place that starts programs. A program gets the descriptors named here and no other; it is reaped by
// its own pid, never by "any child", so that nobody else's child is taken away.

import { constants } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { isMainThread } from 'node:worker_threads';
import { Fault } from '../base/fault.ts';
import { describeErrno, ErrnoError } from './errno.ts';
import { waitpidNow } from './libc/process.ts';
import { type FileAction, posixSpawn } from './libc/spawn.ts';
import { closeFd, openPipe, readableFd, writableFd } from './pipe.ts';
import { identifyNow, type ProcessIdentity } from './process-identity.ts';
import { killUnreaped } from './process.ts';

export interface SpawnOptions {
  /** An absolute path. */
  readonly file: string;
  /** Without argv[0], which is `file`. */
  readonly args: readonly string[];
  /** The whole environment; `PATH` alone when absent. */
  readonly env?: Readonly<Record<string, string>>;
  /** Ours when absent. */
  readonly cwd?: string;
  /** A number is a descriptor of ours, which stays open here. Absent means /dev/null. */
  readonly stdin?: 'null' | 'pipe' | number;
  readonly stdout?: 'null' | 'pipe' | number;
  readonly stderr?: 'null' | 'pipe' | 'stdout' | number;
  /** More descriptors for the child, above 2. */
  readonly fds?: readonly { readonly childFd: number; readonly fd: number }[];
  readonly newSession?: boolean;
}

/** How a program ended. */
export type Exit =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'signalled'; readonly signal: number };

export interface Child {
  readonly pid: number;
  readonly identity: ProcessIdentity;
  /** Its streams, where they are pipes. That the child reads no more is not an error of ours: see `exited`. */
  readonly stdin: Writable | undefined;
  readonly stdout: Readable | undefined;
  readonly stderr: Readable | undefined;
  /** Keeps the event loop alive while it is pending. It never rejects. */
  readonly exited: Promise<Exit>;
}

const STANDARD_NAMES = ['stdin', 'stdout', 'stderr'] as const; // in the order of their numbers
type StandardName = (typeof STANDARD_NAMES)[number];

const DEFAULT_ENV = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };

/**
 * Starts a program, which has its default signal handlers, and none blocked. Only on the main thread.
 *
 * @throws {Fault} unavailable — it cannot be started; invalid_argument — an argument contains a zero byte
 */
export function spawn(options: SpawnOptions): Child {
  if (!isMainThread) throw new Fault('internal', 'a worker thread cannot start programs');
  const { file, args, env = DEFAULT_ENV } = options;
  const argv = [file, ...args];
  const envp = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  if ([...argv, ...envp].some((text) => text.includes('\0'))) {
    throw new Fault('invalid_argument', `an argument for "${file}" contains a zero byte`);
  }
  watchForExits();
  const pipes = new Pipes();
  try {
    const actions = toFileActions(options, pipes);
    const pid = posixSpawn({ file, argv, envp, actions, newSession: options.newSession ?? false });
    const exited = awaitExit(pid);
    const identity = identifyOrKill(pid);
    return { pid, identity, exited, ...pipes.toStreams() };
  } catch (cause) {
    pipes.close();
    throw cause instanceof ErrnoError ? cannotStart(options, cause) : cause;
  }
}

/** One that nobody could find again must not run on: with all descriptors in use its start time cannot be read. */
function identifyOrKill(pid: number): ProcessIdentity {
  try {
    return identifyNow(pid) ?? { pid, startTicks: '0' }; // it is there until it is reaped
  } catch (error) {
    killUnreaped(pid);
    throw error;
  }
}

function cannotStart({ file, cwd }: SpawnOptions, cause: ErrnoError): Fault {
  const where = cwd === undefined ? '' : ` in "${cwd}"`;
  const { text } = describeErrno(-cause.errno);
  return new Fault('unavailable', `cannot start "${file}"${where}: ${text}`, { detail: { file }, cause });
}

/** The pipes of a child to be: our end of each, and the child's. */
class Pipes {
  readonly #ours = new Map<StandardName, number>();
  readonly #theirs: number[] = [];

  /** @returns the child's end */
  open(name: StandardName): number {
    const { readFd, writeFd } = openPipe();
    const [ours, theirs] = name === 'stdin' ? [writeFd, readFd] : [readFd, writeFd];
    this.#ours.set(name, ours);
    this.#theirs.push(theirs);
    return theirs;
  }

  /** After the child has started: closes its ends here. */
  toStreams(): Pick<Child, 'stdin' | 'stdout' | 'stderr'> {
    for (const fd of this.#theirs.splice(0)) closeFd(fd);
    const [stdin, stdout, stderr] = [this.#take('stdin'), this.#take('stdout'), this.#take('stderr')];
    return {
      stdin: stdin === undefined ? undefined : writableFd(stdin).on('error', () => undefined),
      stdout: stdout === undefined ? undefined : readableFd(stdout),
      stderr: stderr === undefined ? undefined : readableFd(stderr),
    };
  }

  #take(name: StandardName): number | undefined {
    const fd = this.#ours.get(name);
    this.#ours.delete(name);
    return fd;
  }

  close(): void {
    for (const fd of [...this.#theirs.splice(0), ...this.#ours.values()]) closeFd(fd);
    this.#ours.clear();
  }
}

/**
 * The child's descriptors. All that it keeps are first copied above every number in use, so that no source is
 * overwritten before its turn and every copy loses its close-on-exec flag; at the end all others are closed.
 */
function toFileActions(options: SpawnOptions, pipes: Pipes): FileAction[] {
  const standard = STANDARD_NAMES.map((name, childFd) => ({
    name,
    childFd,
    source: options[name] ?? 'null',
  }));
  const kept = [...(options.fds ?? [])];
  for (const { name, childFd, source } of standard) {
    if (typeof source === 'number') kept.push({ childFd, fd: source });
    if (source === 'pipe') kept.push({ childFd, fd: pipes.open(name) });
  }
  const above = 1 + Math.max(2, ...kept.flatMap(({ childFd, fd }) => [childFd, fd]));
  return [
    ...kept.map(({ fd }, index): FileAction => ({ kind: 'dup2', fd, to: above + index })),
    ...kept.map(({ childFd }, index): FileAction => ({ kind: 'dup2', fd: above + index, to: childFd })),
    ...standard.filter(({ source }) => source === 'null').map(({ childFd }) => openNull(childFd)),
    ...standard
      .filter(({ source }) => source === 'stdout')
      .map(() => ({ kind: 'dup2', fd: 1, to: 2 }) as const),
    ...closeOthers(kept.map(({ childFd }) => childFd)),
    ...(options.cwd === undefined ? [] : [{ kind: 'chdir', path: options.cwd } as const]),
  ];
}

function closeOthers(kept: readonly number[]): FileAction[] {
  const last = Math.max(2, ...kept);
  const others = Array.from({ length: last }, (_, fd) => fd).filter((fd) => fd > 2 && !kept.includes(fd));
  return [...others.map((fd): FileAction => ({ kind: 'close', fd })), { kind: 'closeFrom', fd: last + 1 }];
}

function openNull(fd: number): FileAction {
  const flags = fd === 0 ? constants.O_RDONLY : constants.O_WRONLY;
  return { kind: 'open', fd, path: '/dev/null', flags };
}

/** Our children that nobody has seen end yet. */
const pending = new Map<number, (exit: Exit) => void>();
let watching = false;
let keepAlive: NodeJS.Timeout | undefined;

/** Before the first child starts, so that the end of none can be missed. */
function watchForExits(): void {
  if (watching) return;
  process.on('SIGCHLD', reap);
  watching = true;
}

/** A signal handler does not keep Node running, so a timer does; what it calls is cheap and finds nothing. */
const KEEP_ALIVE_INTERVAL_MS = 60_000;

function awaitExit(pid: number): Promise<Exit> {
  keepAlive ??= setInterval(reap, KEEP_ALIVE_INTERVAL_MS);
  return new Promise((resolve) => {
    pending.set(pid, resolve);
  });
}

function reap(): void {
  for (const [pid, resolve] of pending) {
    const status = waitpidNow(pid);
    if (status === undefined) continue;
    pending.delete(pid);
    resolve(toExit(status));
  }
  if (pending.size > 0) return;
  clearInterval(keepAlive);
  keepAlive = undefined;
}

/** The layout of a wait status. Source: waitpid(2), bits/waitstatus.h. */
function toExit(status: number): Exit {
  const signal = status & 0x7f;
  return signal === 0 ? { kind: 'exited', code: (status >> 8) & 0xff } : { kind: 'signalled', signal };
}
