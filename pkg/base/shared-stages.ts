// The stages of work that several wait for: each of them sees all stages from when it came, with their true ages.

import { steadyMs } from './clock.ts';
import type { Stage, StageLog } from './timeline.ts';

interface Open {
  readonly name: string;
  readonly startedAtMs: number;
  /** Ends it for each who follows. */
  readonly begun: Map<StageLog, Disposable>;
}

export class SharedStages implements StageLog {
  readonly #followers = new Set<StageLog>();
  readonly #open = new Set<Open>();

  /** Notes there what goes on and what comes, until it is disposed. */
  follow(log: StageLog): Disposable {
    this.#followers.add(log);
    for (const { name, startedAtMs, begun } of this.#open) begun.set(log, log.begin(name, startedAtMs));
    return {
      [Symbol.dispose]: () => {
        this.#followers.delete(log);
        for (const { begun } of this.#open) {
          begun.get(log)?.[Symbol.dispose]();
          begun.delete(log);
        }
      },
    };
  }

  begin(name: string, startedAtMs = steadyMs()): Disposable {
    const begun = new Map([...this.#followers].map((log) => [log, log.begin(name, startedAtMs)]));
    const open = { name, startedAtMs, begun };
    this.#open.add(open);
    return {
      [Symbol.dispose]: () => {
        this.#open.delete(open);
        for (const stage of begun.values()) stage[Symbol.dispose]();
      },
    };
  }

  add(stage: Stage): void {
    for (const log of this.#followers) log.add(stage);
  }
}
