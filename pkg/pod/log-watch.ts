// Looks after the logs of running containers, every few seconds: counts and marks what was dropped because the log
// could not be written, and has a log that was deleted made again.

import { stat } from 'node:fs/promises';
import { background, type Log } from '../base/call.ts';
import { Fault } from '../base/fault.ts';
import type { ContainerId } from '../base/id.ts';
import type { Container } from '../container/container.ts';
import { addLogLine, droppedBytes, readLogTraffic, type LogTraffic } from '../runtime/conmon-log.ts';
import { isErrno } from '../sys/errno.ts';
import type { ContainerRuntime } from './container-runtime.ts';

export interface LogWatchOptions {
  readonly containers: { list(): Container[] };
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
        const now = await this.#lookAt(container, container.state.shim.pid);
        if (now !== undefined) watched.set(container.id, now);
        await this.#makeAgain(container);
      } catch (error) {
        const { message } = Fault.from(error);
        this.#options.log.warn({ id: container.id, error: message }, 'log cannot be looked after');
      }
    }
    this.#watched = watched;
  }

  async #lookAt({ id, logPath }: Container, pid: number): Promise<Watched | undefined> {
    const traffic = await readLogTraffic(pid);
    if (traffic === undefined) return undefined;
    const before = this.#watched.get(id);
    const dropped = before === undefined ? 0 : droppedBytes(before.traffic, traffic);
    if (dropped > 0) {
      this.#options.observe(dropped);
      this.#options.log.warn({ id, logPath, droppedBytes: dropped }, 'output was dropped: log not writable');
    }
    const unmarkedBytes = (before?.unmarkedBytes ?? 0) + dropped;
    const marker = `davit: at least ${unmarkedBytes} bytes of output were dropped here: this log could not be written`;
    const isMarked = unmarkedBytes > 0 && (await addLogLine(pid, logPath, marker));
    return { traffic, unmarkedBytes: isMarked ? 0 : unmarkedBytes };
  }

  /** The kubelet, which has just renamed it, may do the same: reopening waits for its turn, and then does nothing. */
  async #makeAgain(container: Container): Promise<void> {
    const isGone = await stat(container.logPath).then(
      () => false,
      (error: unknown) => isErrno(error, 'ENOENT'),
    );
    if (!isGone) return;
    const { runtime, log } = this.#options;
    await runtime.reopenLog(background(log, REOPEN_TIMEOUT_MS), container);
    log.warn({ id: container.id, logPath: container.logPath }, 'log was gone, and is made again');
  }
}
