// The timelines of the pods started last, for whoever asks why a pod was slow.

import type { SandboxId } from '../base/id.ts';
import { Timeline, type Stage } from '../base/timeline.ts';

/** A pod at whose start something is being done. */
export interface PodStart {
  readonly id: SandboxId;
  readonly stage: Stage;
  /** When a stage began or ended last, in milliseconds since the Unix epoch. */
  readonly changedAtMs: number;
}

/** Pulls may take as long as they like, unlike the rest. */
interface PodTimeline {
  readonly start: Timeline;
  readonly pulls: Timeline;
}

/** Some hundred bytes each: half a day's pods on a busy node. */
const KEPT = 300;

export class Timelines {
  readonly #bySandbox = new Map<SandboxId, PodTimeline>();

  /** The pod's timeline, begun if there is none; the oldest is forgotten when there are too many. */
  of(id: SandboxId): PodTimeline {
    const known = this.#bySandbox.get(id);
    if (known !== undefined) return known;
    const begun = { start: new Timeline(), pulls: new Timeline() };
    this.#bySandbox.set(id, begun);
    const [oldest] = this.#bySandbox.keys();
    if (this.#bySandbox.size > KEPT && oldest !== undefined) this.#bySandbox.delete(oldest);
    return begun;
  }

  underWay(): PodStart[] {
    return [...this.#bySandbox].flatMap(([id, { start }]) => {
      const stage = start.openStage();
      return stage === undefined ? [] : [{ id, stage, changedAtMs: start.changedAtMs }];
    });
  }

  find(id: SandboxId): PodTimeline | undefined {
    return this.#bySandbox.get(id);
  }

  /** All of the pod, in the order in which they began; none for pods of long ago. */
  stages(id: SandboxId): readonly Stage[] {
    const known = this.#bySandbox.get(id);
    if (known === undefined) return [];
    const all = [...known.start.stages(), ...known.pulls.stages()];
    return all.sort((a, b) => a.startedAtMs - b.startedAtMs);
  }
}
