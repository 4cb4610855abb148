// Runs a list of side effects so that a crash at any moment leaves either all of them or none.

import { channel } from 'node:diagnostics_channel';
import { detached, type Call } from '../base/call.ts';
import { stage } from '../base/timeline.ts';

/**
 * One side effect on the node. Both halves may be repeated, and find what they act on from
 * the object's record alone: after a crash nothing else is known.
 */
export interface Step {
  /** For the log and the timeline, in the infinitive: `create network namespace`. */
  readonly label: string;
  run(call: Call): Promise<void>;
  /** Succeeds too if `run` never started, stopped half way, or was undone before. */
  undo(call: Call): Promise<void>;
}

export interface Operation {
  /** For the log: `create container 4f1c`. */
  readonly name: string;
  /** Makes the intent durable: the record, in a phase that says what is being done. */
  begin(): Promise<void>;
  readonly steps: readonly Step[];
  /** Makes the result durable: the record, in the phase that follows. */
  done(): Promise<void>;
  /** Makes the undoing durable: no record. */
  undone(): Promise<void>;
}

/**
 * Told of every step, before and after it is run or undone: `{ moment: 'before' | 'after', step: string }`. The
 * tests subscribe, to end the daemon at each; it costs nothing when nobody does.
 */
const announcements = channel('davit.step');

async function announced(step: string, act: () => Promise<void>): Promise<void> {
  announcements.publish({ moment: 'before', step });
  await act();
  announcements.publish({ moment: 'after', step });
}

/** How long all steps together may take, in milliseconds: as long as the kubelet waits for a sandbox. */
const OPERATION_TIMEOUT_MS = 240_000;

/**
 * Does the operation; if a step fails, undoes what was done. A caller who leaves is noticed between two steps:
 * a tool that is cut off in the middle of its work leaves more behind than one that finishes and is undone.
 *
 * @throws what the failing step threw; if undoing fails as well, an AggregateError, and the
 *   record keeps its phase, so that `recover` can try again
 */
export async function perform(call: Call, operation: Operation): Promise<void> {
  const { name, steps } = operation;
  call.signal.throwIfAborted();
  await operation.begin();
  const working = detached(call, OPERATION_TIMEOUT_MS);
  let started = 0;
  try {
    for (const step of steps) {
      call.signal.throwIfAborted();
      started += 1;
      using _stage = stage(call, step.label);
      await announced(step.label, () => step.run(working));
    }
    await operation.done();
  } catch (failure) {
    const rest = detached(call);
    rest.log.warn({ operation: name, step: steps[started - 1]?.label }, 'undoing');
    await undo(rest, steps.slice(0, started), failure);
    await operation.undone();
    throw failure;
  }
}

/** Undoes an operation that was cut off, wherever that was. */
export async function recover(call: Call, operation: Operation): Promise<void> {
  await undo(call, operation.steps, undefined);
  await operation.undone();
}

async function undo(call: Call, steps: readonly Step[], because: unknown): Promise<void> {
  for (const step of steps.toReversed()) {
    try {
      await announced(`undo ${step.label}`, () => step.undo(call));
    } catch (failure) {
      // An earlier step may rely on this one being undone (a directory on its mount): stop here.
      throw new AggregateError([because, failure].filter(Boolean), `cannot undo: ${step.label}`);
    }
  }
}
