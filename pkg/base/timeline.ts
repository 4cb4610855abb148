// Which stages an operation went through and how long each took: the answer to "why was this pod slow?".

import { steadyMs } from './clock.ts';

/** One stage. Times are milliseconds since the Unix epoch, with fractions. */
export interface Stage {
  readonly name: string;
  /** What it was about, if that is known: a container by its name, an image. */
  readonly of?: string;
  readonly startedAtMs: number;
  /** Absent while the stage goes on. */
  readonly tookMs?: number;
}

/** Where stages are noted. */
export interface StageLog {
  /** Notes that a stage begins, or has begun; it ends when the result is disposed. */
  begin(name: string, startedAtMs?: number): Disposable;
  /** Notes one that is over. */
  add(stage: Stage): void;
}

/** More than any pod start has; a loop that notes stages without end is cut off here. */
const MAX_STAGES = 256;

export class Timeline implements StageLog {
  readonly #stages: Stage[] = [];
  #changedAtMs = steadyMs();

  begin(name: string, startedAtMs?: number): Disposable {
    return this.#begin({ name }, startedAtMs);
  }

  add(stage: Stage): void {
    if (this.#stages.length < MAX_STAGES) this.#stages.push(stage);
  }

  /** Notes stages here, as those of one container or image. */
  about(of: string): StageLog {
    return {
      begin: (name, startedAtMs) => this.#begin({ name, of }, startedAtMs),
      add: (stage) => {
        this.add({ ...stage, of });
      },
    };
  }

  #begin(what: Pick<Stage, 'name' | 'of'>, startedAtMs = steadyMs()): Disposable {
    const stage = { ...what, startedAtMs };
    this.#changedAtMs = Math.max(this.#changedAtMs, startedAtMs);
    if (this.#stages.length >= MAX_STAGES) return { [Symbol.dispose]: () => undefined };
    const index = this.#stages.push(stage) - 1;
    return {
      [Symbol.dispose]: () => {
        this.#changedAtMs = steadyMs();
        this.#stages[index] = { ...stage, tookMs: this.#changedAtMs - stage.startedAtMs };
      },
    };
  }

  /** When a stage began or ended last, else when the timeline was made. */
  get changedAtMs(): number {
    return this.#changedAtMs;
  }

  /** The stage that goes on, the innermost if there are several. */
  openStage(): Stage | undefined {
    return this.openStages().at(-1);
  }

  /** All that go on, the outermost first. */
  openStages(): readonly Stage[] {
    return this.#stages.filter(({ tookMs }) => tookMs === undefined);
  }

  /** In the order in which they began. */
  stages(): readonly Stage[] {
    return this.#stages.toSorted((a, b) => a.startedAtMs - b.startedAtMs);
  }
}

/** Notes each stage in both. */
export function both(one: StageLog | undefined, other: StageLog): StageLog {
  if (one === undefined) return other;
  return {
    begin: (name, startedAtMs) => {
      const begun = new DisposableStack();
      begun.use(one.begin(name, startedAtMs));
      begun.use(other.begin(name, startedAtMs));
      return begun;
    },
    add: (stage) => {
      one.add(stage);
      other.add(stage);
    },
  };
}

/** Notes a stage on the timeline of `call`, if it has one: `using _stage = stage(call, 'cni add bridge')`. */
export function stage(call: { readonly timeline?: StageLog | undefined }, name: string): Disposable {
  return call.timeline?.begin(name) ?? { [Symbol.dispose]: () => undefined };
}
