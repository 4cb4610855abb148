// RunPodSandbox: one sandbox for each attempt at a pod, however often and however concurrently it is asked for.

import type { SharedWork } from '../async/shared-work.ts';
import type { Call } from '../base/call.ts';
import { steadyMs } from '../base/clock.ts';
import { Fault } from '../base/fault.ts';
import { newSandboxId, type SandboxId } from '../base/id.ts';
import { both, type StageLog } from '../base/timeline.ts';
import type { NetworkConfigList } from '../network/network-config.ts';
import { cgroupsPath, type CgroupDriver } from '../runtime/cgroup-path.ts';
import type { Selinux } from '../runtime/selinux/selinux.ts';
import { runSandbox, undoRun, type SandboxDeps } from '../sandbox/operations.ts';
import { isSameAttempt, podName, type Sandbox, type SandboxConfig } from '../sandbox/sandbox.ts';

export interface RunPodDeps {
  readonly sandbox: SandboxDeps;
  readonly sandboxes: { list(): Sandbox[] };
  /** The networks of the pods of a runtime handler. */
  readonly networksOf: (handler: string) => {
    select(): NetworkConfigList;
    expectInstalled(list: NetworkConfigList): Promise<void>;
  };
  readonly runs: SharedWork<string, Sandbox>;
  readonly selinux: Pick<Selinux, 'claimForPod'>;
  readonly cgroup: { readonly driver: CgroupDriver; readonly parent: string };
  /** As the kubelet has told it; may be ''. */
  readonly podCidr: () => string;
  /** @throws {Fault} resource_exhausted — the disk is full */
  readonly expectRoom: () => Promise<void>;
  /** Nanoseconds since the Unix epoch. */
  readonly now: () => bigint;
  /** Where the stages of the pod's start are noted. */
  readonly timelineOf?: (id: SandboxId) => StageLog;
}

/**
 * Runs the sandbox. Asked again for the same attempt, it joins the run under way or answers with its result:
 * the kubelet asks again when it has not heard the first answer.
 *
 * @throws {Fault} already_exists — the attempt had a sandbox, which has been stopped
 * @throws {Fault} unavailable — there is no network to attach it to, or it lacks a plugin
 * @throws {Fault} invalid_argument — this node has no such SELinux label
 */
export async function runPod(deps: RunPodDeps, call: Call, config: SandboxConfig): Promise<SandboxId> {
  const { name, namespace, uid, attempt } = config.metadata;
  const key = JSON.stringify([name, namespace, uid, attempt]);
  const joins = deps.runs.has(key);
  const startedAtMs = steadyMs();
  const { id } = await deps.runs.do(key, call, (shared) => runOnce(deps, shared, config));
  if (joins)
    deps.timelineOf?.(id).add({ name: deps.runs.waiting, startedAtMs, tookMs: steadyMs() - startedAtMs });
  return id;
}

async function runOnce(deps: RunPodDeps, call: Call, config: SandboxConfig): Promise<Sandbox> {
  const existing = deps.sandboxes
    .list()
    .find((sandbox) => isSameAttempt(sandbox.config.metadata, config.metadata));
  if (existing?.state.phase === 'ready') return existing;
  if (existing?.state.phase === 'creating') {
    await undoRun(deps.sandbox, call, existing.id); // what a failed run could not undo then
    return await runOnce(deps, call, config); // or it was done after all: its caller had left in its last step
  }
  if (existing !== undefined) {
    const { attempt } = config.metadata;
    throw new Fault(
      'already_exists',
      `cannot run pod "${podName(existing)}" attempt ${attempt}: its sandbox "${existing.id}" is ${existing.state.phase}; remove it first`,
      { detail: { id: existing.id } },
    );
  }
  await deps.expectRoom();
  const labelled = deps.sandboxes.list().map(({ selinux }) => selinux);
  using claim = await deps.selinux.claimForPod(config.selinux, labelled);
  const sandbox = { ...invent(deps, config), selinux: claim.labels };
  if (sandbox.networkConfig !== undefined)
    await deps.networksOf(config.handler).expectInstalled(sandbox.networkConfig);
  const kept = deps.timelineOf?.(sandbox.id);
  const timeline = kept === undefined ? call.timeline : both(call.timeline, kept);
  using _stage = timeline?.begin('run pod sandbox');
  return await runSandbox(deps.sandbox, { ...call, timeline }, sandbox);
}

function invent({ networksOf, cgroup, podCidr, now }: RunPodDeps, config: SandboxConfig): Sandbox {
  const id = newSandboxId();
  const parent = config.cgroupParent === '' ? cgroup.parent : config.cgroupParent;
  return {
    id,
    config,
    createdAtNs: now(),
    cgroupPath: cgroupsPath(cgroup.driver, parent, id).fs,
    podCidr: podCidr(),
    networkConfig: config.network === 'pod' ? networksOf(config.handler).select() : undefined,
    state: { phase: 'creating' },
  };
}
