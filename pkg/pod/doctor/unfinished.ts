// Operations that were cut off and could not be undone or finished at the time: a plugin that failed, a disk that was
// full. They are tried again, until they can be.

import type { Call } from '../../base/call.ts';
import type { Container } from '../../container/container.ts';
import { removeContainer, undoCreation } from '../../container/create.ts';
import { undoRun } from '../../sandbox/operations.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import type { StopPodDeps } from '../stop-pod.ts';
import { stopPod } from '../stop-pod.ts';
import type { Finding, Inspection } from './finding.ts';

export interface UnfinishedDeps {
  readonly stop: StopPodDeps;
  readonly sandboxes: { list(): Sandbox[] };
  readonly containers: { list(): Container[] };
  /** Whether somebody works on it just now. */
  readonly isBusy: (id: string) => boolean;
}

export function inspectUnfinished(deps: UnfinishedDeps): Inspection {
  return () => {
    const { stop, isBusy } = deps;
    const containers = deps.containers.list().flatMap(({ id, state: { phase } }) => {
      if (phase === 'creating')
        return [finding('container', id, phase, (call) => undoCreation(stop.container, call, id))];
      if (phase === 'removing')
        return [finding('container', id, phase, (call) => removeContainer(stop.container, call, id))];
      return [];
    });
    const sandboxes = deps.sandboxes.list().flatMap(({ id, state: { phase } }) => {
      if (phase === 'creating') return [finding('pod', id, phase, (call) => undoRun(stop.sandbox, call, id))];
      if (phase === 'stopping') return [finding('pod', id, phase, (call) => stopPod(stop, call, id))];
      return [];
    });
    return Promise.resolve([...containers, ...sandboxes].filter(({ subject }) => !isBusy(subject)));
  };
}

function finding(what: string, id: string, phase: string, run: (call: Call) => Promise<void>): Finding {
  return {
    kind: 'unfinished',
    subject: id,
    problem: `the ${what} is ${phase}, and nobody works on it: what did so has failed`,
    advice: 'nothing, if it can be done now; else the log of the daemon says what stands in its way',
    repair: { isSafe: true, run },
  };
}
