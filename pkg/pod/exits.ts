// Notices the end of every container, whichever way the news comes: the shim's exit file, or the end of the
// shim itself. A container whose shim died is watched directly; only its exit code is then lost.

import { setTimeout as delay } from 'node:timers/promises';
import { background, type Log } from '../base/call.ts';
import type { ContainerId } from '../base/id.ts';
import type { Container } from '../container/container.ts';
import { recordExit, type ExitDeps, type ExitReport } from '../container/exit.ts';
import { mayExit } from '../container/phase.ts';
import type { ProcessIdentity } from '../sys/process-identity.ts';

export interface ExitsDeps {
  readonly exit: ExitDeps;
  readonly log: Log;
  /** What the shim has written about the container's end. */
  readonly findReport: (id: ContainerId) => Promise<ExitReport | undefined>;
  /** Resolves when the process has ended, at once if it is not there. */
  readonly waitForExit: (process: ProcessIdentity, signal: AbortSignal) => Promise<void>;
  /** Told that a shim has ended before its container, now or before the daemon was started. */
  readonly onShimLost?: () => void;
  /** Told of a container before it can end. */
  readonly onWatch: (container: Container) => void;
  /** Aborts when the daemon stops. */
  readonly stopping: AbortSignal;
  /** How soon to try again when an end cannot be recorded; each time twice as long. */
  readonly firstPauseMs?: number;
}

const FIRST_PAUSE_MS = 1000;
const MAX_PAUSE_MS = 60_000;

export class Exits {
  readonly #deps: ExitsDeps;

  constructor(deps: ExitsDeps) {
    this.#deps = deps;
  }

  /** The shim has written an exit file. */
  onReport(id: ContainerId, report: ExitReport | undefined): void {
    this.#record(id, report);
  }

  /** Follows a container from now to its end; returns at once. */
  watch(container: Container): void {
    this.#untilDone(container.id, 'cannot watch container yet', () => this.#follow(container));
  }

  async #follow(container: Container): Promise<void> {
    const { id, state } = container;
    if (!mayExit(state)) return;
    const { waitForExit, findReport, stopping, log } = this.#deps;
    this.#deps.onWatch(container);
    await waitForExit(state.shim, stopping);
    const report = await findReport(id); // written before the shim ends
    if (report !== undefined) {
      this.#record(id, report);
      return;
    }
    const now = this.#deps.exit.store.find(id)?.state;
    if (now === undefined || !mayExit(now)) return;
    log.warn({ id, shim: state.shim.pid }, 'monitor of container ended');
    this.#deps.onShimLost?.();
    await waitForExit(state.process, stopping);
    this.#record(id, await findReport(id));
  }

  #record(id: ContainerId, report: ExitReport | undefined): void {
    const { exit, log } = this.#deps;
    this.#untilDone(id, 'cannot record the end of container yet', () =>
      recordExit(exit, background(log), id, report ?? 'unwatched'),
    );
  }

  /**
   * A disk that is full now may not be in a minute, nor may all descriptors be in use then; and until the end is
   * recorded the container seems to run.
   */
  #untilDone(id: ContainerId, failure: string, work: () => Promise<void>): void {
    const { log, stopping, firstPauseMs = FIRST_PAUSE_MS } = this.#deps;
    const doing = async (): Promise<void> => {
      for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
        try {
          await work();
          return;
        } catch (err) {
          stopping.throwIfAborted();
          log.error({ id, err, pauseMs }, failure);
          await delay(pauseMs, undefined, { ref: false, signal: stopping });
        }
      }
    };
    doing().catch(() => undefined); // the daemon stops
  }
}
