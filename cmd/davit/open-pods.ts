// Puts the operations on pods together with what they act on, and recovers what an earlier daemon has left.

import { join } from 'node:path';
import { timeOfDayNs } from '../../pkg/base/clock.ts';
import { KeyedLock } from '../../pkg/async/keyed-lock.ts';
import { SharedWork } from '../../pkg/async/shared-work.ts';
import { background, type Call, type Log } from '../../pkg/base/call.ts';
import type { ContainerId, SandboxId } from '../../pkg/base/id.ts';
import type { Outcome } from '../../pkg/base/outcome.ts';
import type { Config } from '../../pkg/config/config.ts';
import type { Container } from '../../pkg/container/container.ts';
import { ExitWaiters, type ExitDeps, type ExitReport } from '../../pkg/container/exit.ts';
import { OomCounts } from '../../pkg/container/oom-counts.ts';
import { findOomKill } from '../../pkg/container/oom-kill.ts';
import { containerPaths } from '../../pkg/container/paths.ts';
import type { Images } from '../../pkg/image/images.ts';
import type { OwnMetrics } from '../../pkg/metrics/own-metrics.ts';
import { planner, type NodeFacts, type PlanContainer } from '../../pkg/pod/container-plan.ts';
import { ContainerRuntime } from '../../pkg/pod/container-runtime.ts';
import { Exits } from '../../pkg/pod/exits.ts';
import { LogWatch } from '../../pkg/pod/log-watch.ts';
import { OciPodInit } from '../../pkg/pod/pod-init.ts';
import { Pods, type PodsDeps } from '../../pkg/pod/pods.ts';
import { expectRoom } from '../../pkg/pod/room.ts';
import type { SpecAdjuster } from '../../pkg/pod/spec-adjusters.ts';
import { recoverPods, type RecoverDeps } from '../../pkg/pod/recover.ts';
import type { StopPodDeps } from '../../pkg/pod/stop-pod.ts';
import { isWhole } from '../../pkg/pod/whole.ts';
import type { AppArmor } from '../../pkg/runtime/apparmor/apparmor.ts';
import { Conmon } from '../../pkg/runtime/conmon.ts';
import { ExecCgroups } from '../../pkg/runtime/exec-cgroup.ts';
import { ExitWatch, findExit, type ContainerExit } from '../../pkg/runtime/exit-watch.ts';
import type { FeatureFinder } from '../../pkg/runtime/handler-features.ts';
import type { RuntimeHandlers } from '../../pkg/runtime/handlers.ts';
import type { Selinux } from '../../pkg/runtime/selinux/selinux.ts';
import { oomKilled } from '../../pkg/runtime/oom-killed.ts';
import { findFailedStart } from '../../pkg/runtime/hooks/failure.ts';
import { OciCli } from '../../pkg/runtime/runtime-cli.ts';
import { checkNetwork } from '../../pkg/sandbox/attachment.ts';
import type { Sandbox } from '../../pkg/sandbox/sandbox.ts';
import type { SandboxDeps } from '../../pkg/sandbox/operations.ts';
import type { Cgroups } from '../../pkg/sys/cgroup.ts';
import { describeProcess } from '../../pkg/sys/describe-process.ts';
import { uptimeMs } from '../../pkg/sys/uptime.ts';
import { isAlive } from '../../pkg/sys/process-identity.ts';
import { signal, waitForExit } from '../../pkg/sys/process.ts';
import type { Containers, Sandboxes } from './records.ts';
import type { NodeNetworks } from './open-networks.ts';
import type { PodCidr } from './pod-cidr.ts';

export interface OpenPodsOptions {
  readonly config: Config;
  readonly log: Log;
  readonly sandboxes: Sandboxes;
  readonly containers: Containers;
  readonly images: Images;
  readonly networks: NodeNetworks;
  readonly cgroups: Cgroups;
  readonly handlers: RuntimeHandlers;
  readonly facts: NodeFacts;
  readonly features: FeatureFinder;
  readonly apparmor: AppArmor;
  readonly selinux: Selinux;
  /** What changes the configuration of a container before it is written. */
  readonly adjust: SpecAdjuster;
  readonly podCidr: PodCidr;
  /** Whether processes of an earlier daemon may still be there. */
  readonly sameBoot: boolean;
  /** Closes what is opened here when the daemon ends. */
  readonly owned: AsyncDisposableStack;
  readonly counts: OwnMetrics;
}

export interface OpenedPods {
  readonly pods: Pods;
  /** With what the doctor looks and repairs. */
  readonly repairs: Parts & {
    readonly locks: Locks;
    readonly isWhole: (call: Call, sandbox: Sandbox) => Promise<boolean>;
  };
}

/** Returns when every state is true; what takes longer than a daemon's start may goes on by itself. */
export async function openPods(options: OpenPodsOptions): Promise<OpenedPods> {
  const { config, log, owned } = options;
  const stopping = new AbortController();
  owned.defer(() => {
    stopping.abort();
  });
  const exitDir = join(config.run, 'exits');
  const findReport = async (id: ContainerId) => toReport(await findExit(exitDir, id));
  const waiters = new ExitWaiters();
  const locks = { sandbox: new KeyedLock<SandboxId>(), container: new KeyedLock<ContainerId>() };
  const oomCounts = new OomCounts(options.cgroups, (id) => options.containers.find(id) !== undefined);
  const exit = toExitDeps(options, { locks: locks.container, waiters, oomCounts });
  const exits = new Exits({
    exit,
    log,
    findReport,
    waitForExit: (process, signal) => waitForExit({ signal }, process),
    onShimLost: () => {
      options.counts.monitorLost();
    },
    onWatch: (container) => {
      oomCounts.watch(container).catch((err: unknown) => {
        log.warn({ id: container.id, err }, 'cannot count kills for want of memory');
      });
    },
    stopping: stopping.signal,
  });
  const onExit = (id: string, end: ContainerExit) => {
    exits.onReport(id as ContainerId, toReport(end)); // an id that is no container's changes nothing
  };
  const watch = owned.use(await ExitWatch.open({ dir: exitDir, log, onExit }));
  const parts = await toParts(options, { locks, waiters, exitDir, watch });
  await recoverAll(options, parts, { exit, exits, findReport });
  owned.use(watchLogs(options, parts));
  const pods = new Pods(toPodsDeps(options, parts, { exits, locks }));
  return { pods, repairs: { ...parts, locks, isWhole: wholeness(options, parts, true) } };
}

function watchLogs({ containers, sandboxes, log, counts }: OpenPodsOptions, { runtime }: Parts): LogWatch {
  const observe = (bytes: number) => {
    counts.logDropped(bytes);
  };
  return new LogWatch({ containers, sandboxes, runtime, log, observe });
}

interface Locks {
  readonly sandbox: KeyedLock<SandboxId>;
  readonly container: KeyedLock<ContainerId>;
}

/** What all operations share. */
interface Parts {
  readonly cli: OciCli;
  readonly runtime: ContainerRuntime;
  readonly stop: StopPodDeps;
}

function toReport(end: ContainerExit | undefined): ExitReport | undefined {
  return end === undefined || end.exitCode < 0 ? undefined : end;
}

/** By somebody else than StopContainer. */
function wasKilled({ state }: Container, report: ExitReport | undefined): boolean {
  return report?.exitCode === KILLED && state.phase !== 'stopping';
}

/** As a shim reports SIGKILL. */
const KILLED = 128 + 9;

function toExitDeps(
  { config, containers, cgroups }: OpenPodsOptions,
  { locks, waiters, oomCounts }: Pick<ExitDeps, 'locks' | 'waiters'> & { readonly oomCounts: OomCounts },
): ExitDeps {
  const kill: ExitDeps['findOomKill'] = async (container, report) => {
    const counted = await oomCounts.take(container);
    const seen = await oomKilled(containerPaths(config.run, container.id).bundle);
    return await findOomKill(cgroups, container, seen || (counted > 0 && wasKilled(container, report)));
  };
  const failedHook: ExitDeps['findFailedHook'] = ({ id, logPath }) =>
    findFailedStart(containerPaths(config.run, id).bundle, logPath);
  return { locks, store: containers, waiters, cgroups, findOomKill: kill, findFailedHook: failedHook };
}

async function toParts(
  options: OpenPodsOptions,
  shared: { locks: Locks; waiters: ExitWaiters; exitDir: string; watch: ExitWatch },
): Promise<Parts> {
  const { config, facts, handlers, sandboxes, containers, images, cgroups } = options;
  const networks = options.networks.common; // it undoes by what stands in the record, whichever network that was
  const { locks, waiters, exitDir, watch } = shared;
  const runDir = config.run;
  const observe = (program: string) => (command: string, outcome: Outcome, tookMs: number) => {
    options.counts.runtime({ program, command }, outcome, tookMs);
  };
  const { swapAccounting, hugepageAccounting } = facts;
  const { monitor, timeout_seconds } = config.runtime;
  const timeoutMs = timeout_seconds * 1000;
  const cli = new OciCli({
    ...{ swapAccounting, hugepageAccounting, timeoutMs },
    observe: observe('oci-runtime'),
  });
  const shim = new Conmon({ path: monitor, exitDir, timeoutMs, observe: observe('monitor') });
  const execCgroups = await ExecCgroups.open(cgroups, cli);
  const exec = { conmonPath: monitor, cgroups: execCgroups, startTimeoutMs: timeoutMs };
  const runtime = new ContainerRuntime({ runDir, handlers, shim, cli, exec, exits: watch });
  const init = new OciPodInit({
    runDir,
    program: config.runtime.init,
    handlers,
    shim,
    cli,
    exits: watch,
    cgroup: facts.cgroup,
    oomScoreAdj: facts.lowestOomScoreAdj,
  });
  const sandbox: SandboxDeps = { runDir, store: sandboxes, locks: locks.sandbox, cgroups, networks, init };
  const { snapshots, volumes } = images;
  const container = {
    runDir,
    locks: locks.container,
    store: containers,
    snapshots,
    volumes,
    runtime,
    cgroups,
    waiters,
    signal,
    describeProcess,
    uptimeMs,
  };
  return { cli, runtime, stop: { sandbox, container, containers } };
}

/** @param sameBoot whether the sandboxes that are ready were run since the machine was started */
function wholeness(
  { config, handlers }: Pick<OpenPodsOptions, 'config' | 'handlers'>,
  { cli }: Pick<Parts, 'cli'>,
  sameBoot: boolean,
): (call: Call, sandbox: Sandbox) => Promise<boolean> {
  return (call, sandbox) => {
    const initStatus = async ({ id, config: { handler } }: Sandbox) =>
      (await cli.state(call, handlers.get(handler), id))?.status;
    return isWhole({ runDir: config.run, sameBoot, initStatus }, sandbox);
  };
}

async function recoverAll(
  options: OpenPodsOptions,
  parts: Parts,
  exiting: Pick<RecoverDeps, 'exit' | 'exits' | 'findReport'>,
): Promise<void> {
  const { config, log, sandboxes, networks, sameBoot } = options;
  const { runtime, stop } = parts;
  const call = background(log, config.runtime.timeout_seconds * 1000);
  const runDir = config.run;
  const isWhole = wholeness(options, parts, sameBoot);
  const { unfinished } = await recoverPods(
    {
      ...stop,
      ...exiting,
      sandboxes,
      sameBoot,
      isAlive,
      runtimeStatus: (caller, container) => runtime.status(caller, container),
      isWhole: (sandbox) => isWhole(call, sandbox),
      checkNetwork: (caller, sandbox) => checkNetwork({ runDir, networks: networks.common }, caller, sandbox),
    },
    call,
  );
  void unfinished; // goes on by itself, and logs each of its failures
}

function toPlan(options: OpenPodsOptions): PlanContainer {
  const { facts, containers, features, handlers, apparmor, selinux, adjust, images } = options;
  const { declaredVolumes } = images;
  return planner({ facts, containers, features, handlers, apparmor, selinux, adjust, declaredVolumes });
}

function toPodsDeps(
  options: OpenPodsOptions,
  { runtime, stop }: Parts,
  { exits, locks }: { exits: Exits; locks: Locks },
): PodsDeps {
  const { config, facts, selinux, sandboxes, containers, images, networks, podCidr } = options;
  const { container, sandbox } = stop;
  return {
    runDir: config.run,
    run: {
      sandbox,
      sandboxes,
      networksOf: networks.of,
      runs: new SharedWork('run of this pod'),
      selinux,
      cgroup: facts.cgroup,
      podCidr: () => podCidr.get(),
      expectRoom: () => expectRoom(config.root),
      now: timeOfDayNs,
    },
    stop,
    create: {
      container,
      containers,
      sandboxes,
      sandboxLocks: locks.sandbox,
      images,
      creations: new SharedWork('creation of this container'),
      exits,
      cgroup: facts.cgroup,
      plan: toPlan(options),
      expectRoom: () => expectRoom(config.root),
      now: timeOfDayNs,
    },
    start: { locks: locks.container, store: containers, runtime, signal, now: timeOfDayNs },
    update: { locks: locks.container, store: containers, runtime },
    runtime,
    sandboxes,
    containers,
    podCidr,
  };
}
