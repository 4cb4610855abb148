// What the writable layers of containers take on the disk. That takes a walk through each, so they are walked
// seldom, one after another, in the background, and calls are answered with what is known.

import { Semaphore } from '../async/semaphore.ts';
import { abortable } from '../async/abortable.ts';
import { Fault } from '../base/fault.ts';
import type { Call, Log } from '../base/call.ts';
import type { TreeUsage } from './usage.ts';

interface Layer {
  usage: TreeUsage | undefined;
  walking: Promise<void> | undefined;
  /** Not walked again before. */
  dueAtMs: number;
  askedAtMs: number;
  readonly firstAskedAtMs: number;
}

export interface LayerUsageOptions {
  readonly walk: (id: string) => Promise<TreeUsage | undefined>;
  readonly log: Log;
  readonly now: () => number;
}

const MIN_INTERVAL_MS = 10_000;
/** So long a rest follows on a walk: large layers take at most a twentieth of a processor each. */
const REST_PER_WALK = 19;
/** So long after a layer was first asked for, calls wait for what it takes; most walks are done in a millisecond. */
const FIRST_WAIT_MS = 2000;
const FORGET_MS = 300_000;
const NEVER = new AbortController().signal;

export class LayerUsages {
  readonly #options: LayerUsageOptions;
  readonly #layers = new Map<string, Layer>();
  readonly #turn = new Semaphore(1);

  constructor(options: LayerUsageOptions) {
    this.#options = options;
  }

  /** What is known of these: a layer that is gone, or takes long to walk the first time, has no entry. */
  async get({ signal }: Call, ids: readonly string[]): Promise<Map<string, TreeUsage>> {
    signal.throwIfAborted();
    const layers = ids.map((id) => [id, this.#ask(id)] as const);
    this.#forgetOld();
    await this.#waitForNew(layers.map(([, layer]) => layer));
    const known = new Map<string, TreeUsage>();
    for (const [id, { usage }] of layers) if (usage !== undefined) known.set(id, usage);
    return known;
  }

  #ask(id: string): Layer {
    const askedAtMs = this.#options.now();
    const layer = this.#layers.get(id) ?? newLayer(askedAtMs);
    layer.askedAtMs = askedAtMs;
    this.#layers.set(id, layer);
    if (layer.walking === undefined && layer.dueAtMs <= askedAtMs) {
      layer.walking = this.#walk(id, layer).finally(() => (layer.walking = undefined));
    }
    return layer;
  }

  async #waitForNew(layers: readonly Layer[]): Promise<void> {
    const since = this.#options.now() - FIRST_WAIT_MS;
    const fresh = layers.filter(({ usage, firstAskedAtMs }) => usage === undefined && firstAskedAtMs > since);
    const walks = fresh.map(({ walking }) => walking).filter((walk) => walk !== undefined);
    if (walks.length === 0) return;
    const timeoutMs = Math.max(...fresh.map(({ firstAskedAtMs }) => firstAskedAtMs)) - since;
    const timeout = AbortSignal.timeout(Math.ceil(timeoutMs));
    await abortable(Promise.all(walks), timeout).catch(() => undefined); // it is known later, then
  }

  /** Never throws: nobody may be waiting. */
  async #walk(id: string, layer: Layer): Promise<void> {
    const { walk, now, log } = this.#options;
    using _turn = await this.#turn.acquire(NEVER);
    const startMs = now();
    try {
      layer.usage = await walk(id);
    } catch (thrown) {
      log.warn({ id, err: Fault.from(thrown) }, 'usage of a layer cannot be read');
    }
    const tookMs = now() - startMs;
    layer.dueAtMs = now() + Math.max(MIN_INTERVAL_MS, REST_PER_WALK * tookMs);
  }

  #forgetOld(): void {
    const oldest = this.#options.now() - FORGET_MS;
    for (const [id, layer] of this.#layers) {
      if (layer.askedAtMs < oldest && layer.walking === undefined) this.#layers.delete(id);
    }
  }
}

function newLayer(askedAtMs: number): Layer {
  return { usage: undefined, walking: undefined, dueAtMs: 0, askedAtMs, firstAskedAtMs: askedAtMs };
}
