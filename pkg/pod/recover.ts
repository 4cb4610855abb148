// What a daemon does when it starts: compares each record with the node. What was being built is undone,
// what was being torn down is finished, what runs goes on. One object that resists costs the others nothing.

import { recover } from '../async/operation.ts';
import type { Call } from '../base/call.ts';
import type { Container } from '../container/container.ts';
import { createOperation, removeContainer } from '../container/create.ts';
import { recordExit, type ExitReport, type UnseenEnd } from '../container/exit.ts';
import { move, type AlivePhase, type ContainerState, type StateOf } from '../container/phase.ts';
import { stopContainer } from '../container/stop.ts';
import { beginStop, runOperation } from '../sandbox/operations.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { ProcessIdentity } from '../sys/process-identity.ts';
import type { Exits, ExitsDeps } from './exits.ts';
import { stopPod, type StopPodDeps } from './stop-pod.ts';

export interface RecoverDeps extends StopPodDeps {
  readonly exit: ExitsDeps['exit'];
  readonly exits: Pick<Exits, 'watch'>;
  readonly sandboxes: { list(): Sandbox[] };
  readonly findReport: ExitsDeps['findReport'];
  /** Whether processes of an earlier daemon may still be there: the machine has not been started anew. */
  readonly sameBoot: boolean;
  readonly isAlive: (process: ProcessIdentity) => Promise<boolean>;
  /** Asks the runtime; `undefined` if it does not know the container. */
  readonly runtimeStatus: (call: Call, container: Container) => Promise<string | undefined>;
  /** Whether the namespaces and the init that the pod's containers share are still there. */
  readonly isWhole: (sandbox: Sandbox) => Promise<boolean>;
  readonly checkNetwork: (call: Call, sandbox: Sandbox) => Promise<void>;
}

/** What was interrupted and takes longer than the start of a daemon may: to be waited for, or not. */
export interface Recovered {
  readonly unfinished: Promise<void>;
}

/** Returns when every state that can be asked for is true; stops and removals then go on. */
export async function recoverPods(deps: RecoverDeps, call: Call): Promise<Recovered> {
  const later: (() => Promise<void>)[] = [];
  for (const container of deps.containers.list()) {
    await guarded(call, 'container', container.id, async () => {
      const rest = await recoverContainer(deps, call, container);
      if (rest !== undefined) later.push(() => guarded(call, 'container', container.id, rest));
    });
  }
  for (const sandbox of deps.sandboxes.list()) {
    await guarded(call, 'sandbox', sandbox.id, async () => {
      const rest = await recoverSandbox(deps, call, sandbox);
      if (rest !== undefined) later.push(() => guarded(call, 'sandbox', sandbox.id, rest));
    });
  }
  return { unfinished: Promise.all(later.map((rest) => rest())).then(() => undefined) };
}

type Rest = (() => Promise<void>) | undefined;

async function guarded(call: Call, kind: string, id: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (err) {
    call.log.error({ kind, id, err }, 'cannot recover');
  }
}

async function recoverContainer(deps: RecoverDeps, call: Call, container: Container): Promise<Rest> {
  const { id, state } = container;
  switch (state.phase) {
    case 'creating':
      await recover(call, createOperation(deps.container, container));
      return undefined;
    case 'removing':
      return () => removeContainer(deps.container, call, id);
    case 'exited':
      return undefined;
    case 'created':
    case 'starting':
    case 'running':
    case 'stopping':
    case 'lost':
      return await recoverAlive(deps, call, container, state);
  }
}

async function recoverAlive(
  deps: RecoverDeps,
  call: Call,
  container: Container,
  state: StateOf<AlivePhase>,
): Promise<Rest> {
  const { id } = container;
  const end = await endOf(deps, container, state);
  if (end !== 'alive') {
    await recordExit(deps.exit, call, id, end);
    return undefined;
  }
  if (state.phase === 'starting' || state.phase === 'lost') await askRuntime(deps, call, container, state);
  const now = deps.container.store.get(id);
  deps.exits.watch(now);
  if (now.state.phase !== 'stopping') return undefined;
  const graceMs = Math.max(0, now.state.killAtUptimeMs - deps.container.uptimeMs());
  return () => stopContainer(deps.container, call, id, graceMs);
}

async function endOf(
  deps: RecoverDeps,
  { id }: Container,
  { process, shim }: StateOf<AlivePhase>,
): Promise<ExitReport | UnseenEnd | 'alive'> {
  const report = await deps.findReport(id);
  if (report !== undefined) return report;
  if (!deps.sameBoot) return 'rebooted';
  if ((await deps.isAlive(process)) || (await deps.isAlive(shim))) return 'alive'; // the shim is about to report
  return (await deps.findReport(id)) ?? 'unwatched'; // it may have reported while we looked
}

async function askRuntime(
  deps: RecoverDeps,
  call: Call,
  container: Container,
  { process, shim, startedAtNs }: StateOf<'starting' | 'lost'>,
): Promise<void> {
  const status = await deps.runtimeStatus(call, container);
  const next: ContainerState | undefined =
    status === 'created'
      ? { phase: 'created', process, shim }
      : status === 'running'
        ? { phase: 'running', process, shim, startedAtNs }
        : undefined; // it has ended, and its shim will say how
  if (next !== undefined)
    await deps.container.store.put({ ...container, state: move(container.state, next) });
}

async function recoverSandbox(deps: RecoverDeps, call: Call, sandbox: Sandbox): Promise<Rest> {
  const { id, state } = sandbox;
  switch (state.phase) {
    case 'creating':
      await recover(call, runOperation(deps.sandbox, sandbox));
      return undefined;
    case 'stopping':
      return () => stopPod(deps, call, id);
    case 'ready':
      if (await deps.isWhole(sandbox)) return () => checkReady(deps, call, sandbox);
      call.log.warn({ id }, 'pod sandbox is not whole any more');
      await beginStop(deps.sandbox, call, id); // from now on it is not ready, whatever happens to us
      return () => stopPod(deps, call, id);
    case 'stopped':
      return undefined;
  }
}

/**
 * A network that its plugins find changed is only told of: plugins are known to complain without a reason
 * (portmap of release 1.1 about every pod with a host port and no IPv6), and the pod may well be serving.
 */
async function checkReady(deps: RecoverDeps, call: Call, sandbox: Sandbox): Promise<void> {
  try {
    await deps.checkNetwork(call, sandbox);
  } catch (err) {
    call.log.warn({ id: sandbox.id, err }, 'network of pod sandbox is not as its plugins left it');
  }
}
