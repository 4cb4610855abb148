// The runtimes that a run of hack/bench starts for itself, each in a workspace of its own.

import { BUSYBOX_IMAGE } from '../images/busybox.ts';
import type { BenchRun } from './bench.ts';
import { say } from './bench.ts';
import { startContainerd } from './containerd.ts';
import { startDavit } from './davit.ts';
import { removeAllPods } from './pod.ts';
import { connect, type Endpoint, type Target } from './target.ts';
import { Workspace } from './workspace.ts';

/** Third bytes of their pods' addresses. */
const NETWORKS = { davit: 0, containerd: 16 } as const;
const STARTERS = { davit: startDavit, containerd: startContainerd } as const;

export type RuntimeName = keyof typeof NETWORKS;

export interface StartOptions {
  readonly image?: string;
  readonly handler?: string;
  /** Davit alone: whether it tells about itself, which costs a little. */
  readonly withMetrics?: boolean;
  /** Before the runtime is started. */
  readonly prepare?: (workspace: Workspace) => void;
}

export interface StartedRuntime {
  readonly target: Target;
  readonly endpoint: Endpoint;
  readonly workspace: Workspace;
}

/** Ended with the run, and before that its pods. */
export async function startRuntime(
  run: BenchRun,
  name: RuntimeName,
  { image = BUSYBOX_IMAGE, handler = '', withMetrics = false, prepare }: StartOptions = {},
): Promise<StartedRuntime> {
  run.plan.signal.throwIfAborted();
  say(name === 'davit' ? 'building and starting davit' : `starting ${name}`);
  const workspace = run.stack.use(new Workspace(name, NETWORKS[name]));
  prepare?.(workspace);
  const { archive } = run;
  const endpoint = await STARTERS[name](run.stack, workspace, { archive, image, handler, withMetrics });
  return { target: await useRuntime(run, endpoint), endpoint, workspace };
}

/** One that runs already. Pods of the run are removed at its end. */
export async function useRuntime(run: BenchRun, endpoint: Endpoint): Promise<Target> {
  const target = await connect(endpoint);
  run.stack.defer(() => {
    target.client[Symbol.dispose]();
  });
  run.stack.defer(() => removeAllPods(target, run.plan.run));
  return target;
}
