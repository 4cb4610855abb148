// The pulls under way and the last few that ended, for people who wonder what takes so long. In memory alone.

import { timeOfDayMs } from '../base/clock.ts';
import type { Stage } from '../base/timeline.ts';
import type { Digest } from './digest.ts';
import type { LayerActivities, LayerActivity, LayerState } from './layer-activity.ts';
import type { WantedLayer } from './layer.ts';

export interface LayerRecord {
  /** Of what comes, compressed; of its content if that is all that is known. */
  readonly digest: Digest;
  /** `shared`: it was here before. */
  readonly state: LayerState | 'shared';
  readonly sizeBytes: number;
  readonly receivedBytes: number;
  readonly bytesPerSecond: number;
  /** Who gives it, or gave it last; '' if nobody was asked. */
  readonly host: string;
  readonly retries: number;
}

export interface PullRecord {
  /** As it is called in full: `docker.io/library/busybox:latest`. */
  readonly reference: string;
  readonly state: 'resolving' | 'pulling' | 'done' | 'failed';
  /** Why it failed. */
  readonly message: string;
  readonly startedAtMs: number;
  readonly endedAtMs?: number | undefined;
  readonly layers: readonly LayerRecord[];
}

const KEPT = 20;

export class PullLog {
  readonly #activities: LayerActivities;
  readonly #running = new Set<PullProgress>();
  readonly #ended: PullRecord[] = [];

  constructor(activities: LayerActivities) {
    this.#activities = activities;
  }

  /** Those under way, then those that ended, each with the newest first. */
  list(): PullRecord[] {
    const running = [...this.#running].map((pull) => pull.record());
    return [...running.toReversed(), ...this.#ended];
  }

  /** Notes a pull from its beginning to its end, and passes on what becomes of it. */
  async note<T>(reference: string, work: (progress: PullProgress) => Promise<T>): Promise<T> {
    const progress = new PullProgress(reference, this.#activities);
    this.#running.add(progress);
    try {
      const result = await work(progress);
      this.#end(progress, { state: 'done', message: '' });
      return result;
    } catch (error) {
      this.#end(progress, {
        state: 'failed',
        message: error instanceof Error ? error.message : String(error),
      });
      throw error;
    }
  }

  #end(progress: PullProgress, outcome: Pick<PullRecord, 'state' | 'message'>): void {
    this.#running.delete(progress);
    this.#ended.unshift({ ...progress.record(), ...outcome, endedAtMs: timeOfDayMs() });
    this.#ended.length = Math.min(this.#ended.length, KEPT);
    progress[Symbol.dispose]();
  }
}

interface Followed {
  readonly wanted: WantedLayer;
  /** Absent if the layer was here before. */
  readonly activity: LayerActivity | undefined;
}

/** One pull under way. */
export class PullProgress implements Disposable {
  readonly #reference: string;
  readonly #activities: LayerActivities;
  readonly #startedAtMs = timeOfDayMs();
  #layers: readonly Followed[] | undefined;
  #held: Disposable | undefined;

  constructor(reference: string, activities: LayerActivities) {
    this.#reference = reference;
    this.#activities = activities;
  }

  /** What the image consists of is known now. Before the work on its layers begins. */
  follow(layers: readonly WantedLayer[], isHere: (chainId: Digest) => boolean): void {
    const missing = layers.filter(({ chainId }) => !isHere(chainId));
    const held = this.#activities.hold(missing.map(({ chainId }) => chainId));
    this.#held = held;
    this.#layers = layers.map((wanted) => ({ wanted, activity: held.activities[missing.indexOf(wanted)] }));
  }

  /** Of all its layers so far. */
  get retries(): number {
    return this.record().layers.reduce((sum, { retries }) => sum + retries, 0);
  }

  record(): PullRecord {
    return {
      reference: this.#reference,
      state: this.#layers === undefined ? 'resolving' : 'pulling',
      message: '',
      startedAtMs: this.#startedAtMs,
      layers: (this.#layers ?? []).map(toRecord),
    };
  }

  /** What became of each layer that had to be fetched: `download layer 1a2b3c4d5e6f`. */
  stages(): Stage[] {
    return (this.#layers ?? []).flatMap(({ wanted: { blob, diffId }, activity }) =>
      (activity?.timeline.stages() ?? []).map((stage) => {
        const [, hex = ''] = (blob.digest ?? diffId).split(':');
        return { ...stage, name: `${stage.name} layer ${hex.slice(0, 12)}` };
      }),
    );
  }

  [Symbol.dispose](): void {
    this.#held?.[Symbol.dispose]();
  }
}

function toRecord({ wanted: { blob, diffId }, activity }: Followed): LayerRecord {
  const layer = { digest: blob.digest ?? diffId, sizeBytes: blob.size };
  if (activity === undefined)
    return { ...layer, state: 'shared', receivedBytes: 0, bytesPerSecond: 0, host: '', retries: 0 };
  const { state, receivedBytes, host, retries, rate } = activity;
  const bytesPerSecond = state === 'downloading' ? rate.bytesPerSecond(performance.now()) : 0;
  return { ...layer, state, receivedBytes, host, bytesPerSecond, retries: Math.max(0, retries) };
}
