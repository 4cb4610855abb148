// Whether pods can still be begun and ended: an operation that makes no progress for long shows that something below,
// a disk, a mount or the runtime, does not answer any more.

import type { RuntimeConditionInit } from '../../api/cri/generated/types.ts';
import { steadyMs } from '../base/clock.ts';
import type { PodStart } from '../pod/timelines.ts';
import type { Operation } from './operations.ts';

/** These have no open-ended waits: a graceful stop, a pull and an exec may take as long as they like. */
const CORE: ReadonlySet<string> = new Set([
  'RunPodSandbox',
  'StopPodSandbox',
  'RemovePodSandbox',
  'CreateContainer',
  'StartContainer',
  'RemoveContainer',
]);

/** Longer than each tool that we call may take; then it is killed, and that is progress. */
export const STALL_MS = 5 * 60_000;

/** As the CRI has it: a node whose runtime is not ready is given no pods. */
export function runtimeCondition(
  operations: readonly Operation[],
  starts: readonly PodStart[],
  nowMs: number = steadyMs(),
): RuntimeConditionInit {
  const type = 'RuntimeReady';
  const stall = describeStall(operations, starts, nowMs);
  if (stall === undefined) return { type, status: true, reason: '', message: '' };
  return { type, status: false, reason: 'OperationsStalled', message: stall };
}

/** @returns what has stalled, for people, or `undefined` if nothing has */
function describeStall(
  operations: readonly Operation[],
  starts: readonly PodStart[],
  nowMs: number,
): string | undefined {
  const isStalled = ({ changedAtMs }: { readonly changedAtMs: number }) => nowMs - changedAtMs > STALL_MS;
  const rpcs = operations
    .filter((operation) => CORE.has(operation.method) && isStalled(operation))
    .map(({ method, subject, stage, changedAtMs }) => {
      const where = stage === undefined ? 'before its first stage' : `in stage "${stage.name}"`;
      return `${method} of "${subject}" has been ${where} for ${seconds(nowMs - changedAtMs)} s`;
    });
  const pods = starts
    .filter(isStalled)
    .map(
      ({ id, stage, changedAtMs }) =>
        `pod "${id}" has been in stage "${stage.name}" for ${seconds(nowMs - changedAtMs)} s`,
    );
  const all = [...rpcs, ...pods];
  if (all.length === 0) return undefined;
  const more = all.length > MAX_TOLD ? `; and ${all.length - MAX_TOLD} more` : '';
  return `${all.slice(0, MAX_TOLD).join('; ')}${more}`;
}

/** The message is shown in the node's conditions. */
const MAX_TOLD = 3;

function seconds(ms: number): number {
  return Math.round(ms / 1000);
}
