// A container's process has ended: what that means, and who waits to hear of it.

import { timeOfDayNs } from '../base/clock.ts';
import type { KeyedLock } from '../async/keyed-lock.ts';
import type { Call } from '../base/call.ts';
import type { ContainerId } from '../base/id.ts';
import { signalName } from '../sys/signal-number.ts';
import type { Container } from './container.ts';
import { mayExit, move, type Exited } from './phase.ts';

export interface ExitDeps {
  readonly locks: KeyedLock<ContainerId>;
  readonly store: {
    find(id: ContainerId): Container | undefined;
    put(container: Container): Promise<void>;
  };
  /** Why the kernel killed one of its processes for want of memory, if it did; see findOomKill(). */
  readonly findOomKill: (container: Container, report: ExitReport | undefined) => Promise<string | undefined>;
  /** Which hook it was that ended it before its program ran, if one did. */
  readonly findFailedHook: (container: Container) => Promise<string | undefined>;
  readonly waiters: ExitWaiters;
  readonly cgroups: { killAll(call: Call, path: string): Promise<void> };
}

/** What the shim has to say of an end. */
export interface ExitReport {
  readonly exitCode: number;
  readonly finishedAtNs: bigint;
}

/** Why nobody can say how it ended: its shim died before it did, or the machine went down with both. */
export type UnseenEnd = 'unwatched' | 'rebooted';

/**
 * Records the end of a container; a second report of the same end changes nothing. Processes that share
 * their pid namespace with others do not die with their init: they are killed here.
 */
export async function recordExit(
  deps: ExitDeps,
  call: Call,
  id: ContainerId,
  end: ExitReport | UnseenEnd,
): Promise<void> {
  using _guard = await deps.locks.acquire(id, call.signal);
  const container = deps.store.find(id);
  if (container === undefined || !mayExit(container.state)) return;
  if (!container.ownPidNamespace) await deps.cgroups.killAll(call, container.cgroupPath);
  const oomKill = await deps.findOomKill(container, typeof end === 'string' ? undefined : end);
  const hook = await hookOf(deps, container, end);
  const startedAtNs = 'startedAtNs' in container.state ? container.state.startedAtNs : 0n;
  const exited: Exited = { phase: 'exited', startedAtNs, ...describe(end, oomKill, hook) };
  await deps.store.put({ ...container, state: move(container.state, exited) });
  call.log.info({ id, exitCode: exited.exitCode, reason: exited.reason }, 'container exited');
  deps.waiters.tell(id);
}

const UNKNOWN_EXIT_CODE = 255;

const UNSEEN: Readonly<Record<UnseenEnd, string>> = {
  unwatched: 'the monitor of the container ended before the container did, so its exit code is not known',
  rebooted: 'the node was rebooted while the container was there, so its exit code is not known',
};

async function hookOf(
  { findFailedHook }: ExitDeps,
  container: Container,
  end: ExitReport | UnseenEnd,
): Promise<string | undefined> {
  return typeof end === 'string' || end.exitCode === 0 ? undefined : await findFailedHook(container);
}

function describe(
  end: ExitReport | UnseenEnd,
  oomKill: string | undefined,
  failedHook: string | undefined,
): Pick<Exited, 'exitCode' | 'finishedAtNs' | 'reason' | 'message'> {
  if (typeof end === 'string') {
    return {
      exitCode: UNKNOWN_EXIT_CODE,
      finishedAtNs: timeOfDayNs(),
      reason: 'ContainerStatusUnknown',
      message: UNSEEN[end],
    };
  }
  const { exitCode, finishedAtNs } = end;
  if (oomKill !== undefined) return { exitCode, finishedAtNs, reason: 'OOMKilled', message: oomKill };
  const reason = exitCode === 0 ? 'Completed' : 'Error';
  return { exitCode, finishedAtNs, reason, message: failedHook ?? describeSignal(exitCode) };
}

/** A shim adds this to the number of the signal that killed the process; so does a shell. */
const KILLED_BY_SIGNAL = 128;

function describeSignal(exitCode: number): string {
  const number = exitCode - KILLED_BY_SIGNAL;
  const name = signalName(number);
  return name === undefined ? '' : `killed by ${name} (${number})`;
}

/** Who waits for the end of a container. */
export class ExitWaiters {
  readonly #waiting = new Map<ContainerId, Set<() => void>>();

  /** Resolves when the container's end has been recorded, or `signal` aborts: look which. */
  async wait(id: ContainerId, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const set = this.#waiting.get(id) ?? new Set();
    this.#waiting.set(id, set);
    await new Promise<void>((resolve) => {
      const done = () => {
        set.delete(done);
        if (set.size === 0 && this.#waiting.get(id) === set) this.#waiting.delete(id);
        signal.removeEventListener('abort', done);
        resolve();
      };
      set.add(done);
      signal.addEventListener('abort', done, { once: true });
    });
  }

  /** Also wakes a stop that must look again, because its deadline has moved. */
  tell(id: ContainerId): void {
    for (const done of this.#waiting.get(id) ?? []) done();
  }
}
