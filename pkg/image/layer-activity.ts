// What becomes of layers that are being brought in, for whoever looks on. Layers are fetched once for all pulls
// that want them, so all of these look at the same activity.

import type { Digest } from './digest.ts';
import { Timeline } from '../base/timeline.ts';
import { RateMeter } from './rate-meter.ts';

export type LayerState = 'waiting' | 'downloading' | 'unpacking' | 'done' | 'failed';

const STAGES: Readonly<Partial<Record<LayerState, string>>> = {
  downloading: 'download',
  unpacking: 'unpack',
};

/** Changes as the work goes on. */
export class LayerActivity {
  readonly timeline = new Timeline();
  #state: LayerState = 'waiting';
  #stage: Disposable | undefined = this.timeline.begin('wait for');
  readonly rate = new RateMeter();
  receivedBytes = 0;
  /** Who gives it, or gave it last: `https://mirror.example`; '' if nobody has been asked. */
  host = '';
  /** How often another request was needed, to the same host or the next. */
  retries = -1;

  get state(): LayerState {
    return this.#state;
  }

  set state(state: LayerState) {
    if (state === this.#state) return;
    this.#state = state;
    this.#stage?.[Symbol.dispose]();
    const name = STAGES[state];
    this.#stage = name === undefined ? undefined : this.timeline.begin(name);
  }

  /** A host is asked for the layer, or for the rest of it. */
  asked(host: string): void {
    this.host = host;
    this.retries += 1;
  }

  /** Counts what comes; when all is there, it is being unpacked. */
  async *download(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    this.state = 'downloading';
    this.receivedBytes = 0;
    for await (const chunk of chunks) {
      this.receivedBytes += chunk.length;
      this.rate.add(chunk.length, performance.now());
      yield chunk;
    }
    this.state = 'unpacking';
  }
}

export class LayerActivities {
  readonly #held = new Map<Digest, { readonly activity: LayerActivity; holders: number }>();

  /** Keeps the activities of these layers until the result is disposed. */
  hold(chainIds: readonly Digest[]): Disposable & { readonly activities: readonly LayerActivity[] } {
    const activities = chainIds.map((id) => {
      const entry = this.#held.get(id) ?? { activity: new LayerActivity(), holders: 0 };
      entry.holders += 1;
      this.#held.set(id, entry);
      return entry.activity;
    });
    const release = () => {
      for (const id of chainIds) this.#release(id);
    };
    return { activities, [Symbol.dispose]: release };
  }

  /** That of the layer; one that nobody looks at if nobody holds it. */
  of(chainId: Digest): LayerActivity {
    return this.#held.get(chainId)?.activity ?? new LayerActivity();
  }

  #release(id: Digest): void {
    const entry = this.#held.get(id);
    if (entry === undefined) return;
    entry.holders -= 1;
    if (entry.holders === 0) this.#held.delete(id);
  }
}
