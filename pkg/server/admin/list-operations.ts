// ListOperations: what goes on in the daemon at this moment. Not part of the CRI; for davitctl.

import { steadyMs } from '../../base/clock.ts';
import type { AdminHandlers } from '../../../api/davit/generated/services.ts';
import type { Call } from '../../base/call.ts';
import type { ServerDeps } from '../deps.ts';

export function listOperations(deps: Pick<ServerDeps, 'operations'>): AdminHandlers<Call>['listOperations'] {
  return () => {
    const nowMs = steadyMs();
    const age = (sinceMs: number): bigint => BigInt(Math.max(0, Math.round((nowMs - sinceMs) * 1e6)));
    const operations = deps.operations
      .list()
      .filter(({ method }) => method !== 'ListOperations')
      .map(({ method, subject, startedAtMs, stage, within }) => ({
        method,
        subject,
        age: age(startedAtMs),
        stage: stage?.name ?? '',
        stageAge: stage === undefined ? 0n : age(stage.startedAtMs),
        within: within.map(({ name }) => name),
      }));
    return Promise.resolve({ operations });
  };
}
