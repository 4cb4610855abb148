// What records say is there, and is not: somebody has removed it by hand, or a monitor was killed.

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Call } from '../../base/call.ts';
import type { Container } from '../../container/container.ts';
import { containerPaths } from '../../container/paths.ts';
import { mayExit } from '../../container/phase.ts';
import { beginStop } from '../../sandbox/operations.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { isAlive } from '../../sys/process-identity.ts';
import { stopPod, type StopPodDeps } from '../stop-pod.ts';
import type { Finding, Inspection } from './finding.ts';

export interface MissingDeps {
  readonly root: string;
  readonly stop: StopPodDeps;
  readonly sandboxes: { list(): Sandbox[] };
  readonly containers: { list(): Container[] };
  /** Whether the namespaces and the init that the pod's containers share are still there. */
  readonly isWhole: (call: Call, sandbox: Sandbox) => Promise<boolean>;
}

/** A pod without its namespaces is stopped, so that the kubelet makes another: its containers are of no use. */
export function inspectPods({ sandboxes, stop, isWhole }: MissingDeps): Inspection {
  return async (call) => {
    const findings: Finding[] = [];
    for (const sandbox of sandboxes.list().filter(({ state }) => state.phase === 'ready')) {
      if (await isWhole(call, sandbox)) continue;
      const { id } = sandbox;
      findings.push({
        kind: 'broken_pod',
        subject: id,
        problem: 'a namespace or the init that the containers of the pod share is gone',
        advice: 'nothing: the pod is stopped, and the kubelet makes another',
        repair: {
          isSafe: true,
          run: async (caller) => {
            await beginStop(stop.sandbox, caller, id);
            await stopPod(stop, caller, id);
          },
        },
      });
    }
    return findings;
  };
}

export function inspectContainers(deps: MissingDeps): Inspection {
  return async () => {
    const findings: Finding[] = [];
    for (const container of deps.containers.list().filter(({ state }) => mayExit(state))) {
      findings.push(...(await inspectContainer(container, deps)));
    }
    return findings;
  };
}

async function inspectContainer({ id, state }: Container, { root, stop }: MissingDeps): Promise<Finding[]> {
  const { bundle } = containerPaths(stop.container.runDir, id);
  const findings: Finding[] = [];
  if (mayExit(state) && !(await isAlive(state.shim)) && (await isAlive(state.process)))
    findings.push({
      kind: 'unwatched',
      subject: id,
      problem: `its monitor, process ${state.shim.pid}, has ended; the container goes on, without log and exit code`,
      advice: 'restart the container when it suits: it can be stopped as any other',
    });
  const places = { 'what the container has written': join(root, 'snapshots', id), 'its bundle': bundle };
  for (const [what, path] of Object.entries(places)) {
    if (await stat(path).then(Boolean, () => false)) continue;
    findings.push({
      kind: 'missing_files',
      subject: id,
      problem: `"${path}", ${what}, is gone`,
      advice: 'restart the container: it can be stopped as any other',
    });
  }
  return findings;
}
