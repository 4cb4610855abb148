// Looks after the logs of running containers, every few seconds: counts and marks what was dropped because the log
// could not be written, and has a log that was deleted, alone or with its directory, made again.

import { stat } from 'node:fs/promises';
import { background, type Log } from '../base/call.ts';
import { Fault } from '../base/fault.ts';
import type { ContainerId, SandboxId } from '../base/id.ts';
import type { Container } from '../container/container.ts';
import {
  addLogLine,
  deletedLog,
  droppedBytes,
  readLogTraffic,
  type LogFile,
  type LogTraffic,
} from '../runtime/conmon-log.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { isErrno } from '../sys/errno.ts';
import type { ContainerRuntime } from './container-runtime.ts';
import { makeLogPlace } from './log-place.ts';

export interface LogWatchOptions {
  readonly containers: { list(): Container[] };
  readonly sandboxes: { get(id: SandboxId): { readonly config: Pick<Sandbox['config'], 'logDirectory'> } };
  readonly runtime: Pick<ContainerRuntime, 'reopenLog'>;
  readonly log: Log;
  /** Told of what was dropped, in bytes. */
  readonly observe: (droppedBytes: number) => void;
  readonly intervalMs?: number;
}

const INTERVAL_MS = 10_000;
const REOPEN_TIMEOUT_MS = 20_000;

/** Of one container that runs. */
interface Watched {
  readonly traffic: LogTraffic;
  /** Where its log should be; absent when nothing is there. */
  readonly file: LogFile | undefined;
  /** Dropped, and not marked in the log yet. */
  readonly unmarkedBytes: number;
}

export class LogWatch implements AsyncDisposable {
  readonly #options: LogWatchOptions;
  readonly #timer: NodeJS.Timeout;
  #watched: ReadonlyMap<ContainerId, Watched> = new Map();
  #looking: Promise<void> | undefined;

  constructor(options: LogWatchOptions) {
    this.#options = options;
    this.#timer = setInterval(() => {
      this.#looking ??= this.#look().finally(() => {
        this.#looking = undefined;
      });
    }, options.intervalMs ?? INTERVAL_MS);
    this.#timer.unref();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  /** One container after the other: there is time, and so it is never much at once. */
  async #look(): Promise<void> {
    const watched = new Map<ContainerId, Watched>();
    for (const container of this.#options.containers.list()) {
      if (container.state.phase !== 'running' || container.logPath === '') continue;
      try {
        const { pid } = container.state.shim;
        const now = await this.#lookAt(container, pid);
        if (now !== undefined) watched.set(container.id, now);
        if (now?.file !== undefined) continue;
        const lostBytes = await this.#makeAgain(container, pid);
        if (now !== undefined)
          watched.set(container.id, { ...now, unmarkedBytes: now.unmarkedBytes + lostBytes });
      } catch (error) {
        const { message } = Fault.from(error);
        this.#options.log.warn({ id: container.id, error: message }, 'log cannot be looked after');
      }
    }
    this.#watched = watched;
  }

  async #lookAt({ id, logPath }: Container, pid: number): Promise<Watched | undefined> {
    const file = await fileAt(logPath); // before that, and after it, so that the log never seems to grow too little
    const traffic = await readLogTraffic(pid);
    if (traffic === undefined) return undefined;
    const before = this.#watched.get(id);
    const grown = grownSince(before?.file, await fileAt(logPath));
    const dropped = before === undefined ? 0 : droppedBytes(before.traffic, traffic, grown);
    if (dropped > 0) {
      this.#options.observe(dropped);
      this.#options.log.warn({ id, logPath, droppedBytes: dropped }, 'output was dropped: log not writable');
    }
    const unmarkedBytes = (before?.unmarkedBytes ?? 0) + dropped;
    const marker = `davit: at least ${unmarkedBytes} bytes of output were dropped here: the log could not be written, or was deleted`;
    const isMarked = unmarkedBytes > 0 && (await addLogLine(pid, logPath, marker));
    return { traffic, file, unmarkedBytes: isMarked ? 0 : unmarkedBytes };
  }

  /**
   * The kubelet, which has just renamed it, may do the same: reopening waits for its turn, and then does nothing.
   *
   * @returns what was written since the last look to the file that was deleted
   */
  async #makeAgain(container: Container, pid: number): Promise<number> {
    const { id, sandboxId, logPath } = container;
    const { runtime, sandboxes, log } = this.#options;
    await makeLogPlace(sandboxes.get(sandboxId).config.logDirectory, logPath);
    const deleted = await deletedLog(pid, logPath);
    await runtime.reopenLog(background(log, REOPEN_TIMEOUT_MS), container);
    const lostBytes = grownSince(this.#watched.get(id)?.file, deleted) ?? deleted?.sizeBytes ?? 0;
    if (lostBytes > 0) this.#options.observe(lostBytes);
    log.warn({ id, logPath, lostBytes }, 'log was gone, and is made again');
    return lostBytes;
  }
}

/** @returns `undefined` if it is another file */
function grownSince(before: LogFile | undefined, now: LogFile | undefined): number | undefined {
  if (before === undefined || now?.inode !== before.inode) return undefined;
  return Math.max(0, now.sizeBytes - before.sizeBytes);
}

async function fileAt(path: string): Promise<LogFile | undefined> {
  try {
    const { ino, size } = await stat(path);
    return { inode: ino, sizeBytes: size };
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
