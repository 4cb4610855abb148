// StopContainer: the stop signal, a grace period, then SIGKILL. Nothing is locked while waiting, and a second
// stop with less patience shortens the first.

import type { KeyedLock } from '../async/keyed-lock.ts';
import { linkSignals } from '../base/signal.ts';
import type { Call } from '../base/call.ts';
import { Fault } from '../base/fault.ts';
import type { ContainerId } from '../base/id.ts';
import type { ProcessIdentity } from '../sys/process-identity.ts';
import { signalNumber } from '../sys/signal-number.ts';
import type { Container } from './container.ts';
import type { ExitWaiters } from './exit.ts';
import { mayExit, move, type AlivePhase, type StateOf } from './phase.ts';

export interface StopDeps {
  readonly locks: KeyedLock<ContainerId>;
  readonly store: {
    find(id: ContainerId): Container | undefined;
    put(container: Container): Promise<void>;
  };
  readonly waiters: ExitWaiters;
  /** @returns whether the process was there to be signalled */
  readonly signal: (process: ProcessIdentity, signal: NodeJS.Signals | number) => Promise<boolean>;
  readonly cgroups: { killAll(call: Call, path: string): Promise<void> };
  /** Milliseconds on a clock that goes on evenly, whatever happens to the time of day, and across a restart. */
  readonly uptimeMs: () => number;
  /** Says why a process does not die: its state and what it waits for in the kernel. */
  readonly describeProcess: (process: ProcessIdentity) => Promise<string>;
}

/** How long a killed process may take to go, in milliseconds; more means that the kernel holds it. */
const DEATH_TIMEOUT_MS = 10_000;

/**
 * @param graceMs how long the container may take after its stop signal; 0 kills at once
 * @throws {Fault} deadline_exceeded — it does not die even of SIGKILL
 */
export async function stopContainer(
  deps: StopDeps,
  call: Call,
  id: ContainerId,
  graceMs: number,
): Promise<void> {
  const container = await beginStop(deps, call, id, deps.uptimeMs() + graceMs);
  if (container === undefined) return;
  await waitUntilKill(deps, call, id);
  const { state, cgroupPath, ownPidNamespace } = deps.store.find(id) ?? container;
  if (!mayExit(state)) return;
  await deps.signal(state.process, 'SIGKILL');
  if (!ownPidNamespace) await deps.cgroups.killAll(call, cgroupPath);
  await waitForDeath(deps, call, id, state.process);
}

/**
 * Records that it stops, and sends the stop signal if nobody has: a daemon before us may have died in between.
 *
 * @returns `undefined` if there is nothing to stop
 */
async function beginStop(
  deps: StopDeps,
  call: Call,
  id: ContainerId,
  killAtUptimeMs: number,
): Promise<Container | undefined> {
  using _guard = await deps.locks.acquireFor(id, call);
  const container = deps.store.find(id);
  if (container === undefined || !mayExit(container.state)) return undefined;
  const state = toStopping(container.state, killAtUptimeMs);
  const stopping = { ...container, state };
  if (state !== container.state) {
    await deps.store.put({ ...container, state: move(container.state, state) });
    deps.waiters.tell(id); // an earlier stop waits for a later deadline
  }
  if (state.signalled || state.killAtUptimeMs <= deps.uptimeMs()) return stopping;
  await deps.signal(state.process, signalNumber(container.stopSignal));
  await deps.store.put({ ...stopping, state: { ...state, signalled: true } });
  return stopping;
}

/** One that was never started has no program that a signal could ask to end: it is killed. */
function toStopping(state: StateOf<AlivePhase>, killAtUptimeMs: number): StateOf<'stopping'> {
  const { process, shim } = state;
  switch (state.phase) {
    case 'created':
      return { phase: 'stopping', process, shim, startedAtNs: 0n, killAtUptimeMs: 0, signalled: false };
    case 'stopping':
      return state.killAtUptimeMs <= killAtUptimeMs ? state : { ...state, killAtUptimeMs };
    case 'starting':
    case 'running':
    case 'lost':
      return {
        phase: 'stopping',
        process,
        shim,
        startedAtNs: state.startedAtNs,
        killAtUptimeMs,
        signalled: false,
      };
  }
}

/** Waits while the container is `stopping` and its time is not up. */
async function waitUntilKill(deps: StopDeps, call: Call, id: ContainerId): Promise<void> {
  for (;;) {
    call.signal.throwIfAborted();
    const state = deps.store.find(id)?.state;
    if (state?.phase !== 'stopping') return;
    const leftMs = state.killAtUptimeMs - deps.uptimeMs();
    if (leftMs <= 0) return;
    await waitAtMost(deps, call, id, leftMs);
  }
}

async function waitForDeath(
  deps: StopDeps,
  call: Call,
  id: ContainerId,
  process: ProcessIdentity,
): Promise<void> {
  const giveUpAtMs = deps.uptimeMs() + DEATH_TIMEOUT_MS;
  for (;;) {
    const state = deps.store.find(id)?.state;
    if (state === undefined || !mayExit(state)) return;
    call.signal.throwIfAborted();
    if (deps.uptimeMs() >= giveUpAtMs) {
      const why = await deps.describeProcess(process);
      throw new Fault('deadline_exceeded', `cannot stop container "${id}": ${why}`, { detail: { id } });
    }
    await waitAtMost(deps, call, id, giveUpAtMs - deps.uptimeMs());
  }
}

/** The longest delay that timers take. */
const MAX_TIMER_MS = 2 ** 31 - 1;

async function waitAtMost(deps: StopDeps, call: Call, id: ContainerId, ms: number): Promise<void> {
  const controller = new AbortController();
  const timer = setTimeout(
    () => {
      controller.abort();
    },
    Math.min(ms, MAX_TIMER_MS),
  );
  try {
    using either = linkSignals(call.signal, controller.signal);
    await deps.waiters.wait(id, either.signal);
  } finally {
    clearTimeout(timer);
  }
}
