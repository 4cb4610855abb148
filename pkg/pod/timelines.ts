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

/** Some hundred bytes each: half a day's pods on a busy node. */
const KEPT = 300;

export class Timelines {
  readonly #bySandbox = new Map<SandboxId, Timeline>();

  /** The pod's timeline, begun if there is none; the oldest is forgotten when there are too many. */
  of(id: SandboxId): Timeline {
    const known = this.#bySandbox.get(id);
    if (known !== undefined) return known;
    const begun = new Timeline();
    this.#bySandbox.set(id, begun);
    const [oldest] = this.#bySandbox.keys();
    if (this.#bySandbox.size > KEPT && oldest !== undefined) this.#bySandbox.delete(oldest);
    return begun;
  }

  underWay(): PodStart[] {
    return [...this.#bySandbox].flatMap(([id, timeline]) => {
      const stage = timeline.openStage();
      return stage === undefined ? [] : [{ id, stage, changedAtMs: timeline.changedAtMs }];
    });
  }

  find(id: SandboxId): Timeline | undefined {
    return this.#bySandbox.get(id);
  }
}
