// What happens to pods, as it happens: made from the state changes themselves, so that nothing can happen
// without being told. A subscriber that is too slow is cut off; it never holds up anybody else.

import { Fault } from '../base/fault.ts';
import type { SandboxId } from '../base/id.ts';
import type { Container } from '../container/container.ts';
import type { ContainerPhase } from '../container/phase.ts';
import type { SandboxPhase } from '../sandbox/phase.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';

export type PodEventType = 'created' | 'started' | 'stopped' | 'deleted';

export interface PodEvent {
  readonly type: PodEventType;
  /** Of the container, or of the sandbox where that is what changed. */
  readonly id: string;
  /** Nanoseconds since the Unix epoch; each event's is later than that of the one before. */
  readonly atNs: bigint;
  /** The pod as it was at that moment; absent when the record of its sandbox was gone already. */
  readonly sandbox: Sandbox | undefined;
  readonly containers: readonly Container[];
}

export interface PodEventsDeps {
  readonly sandboxes: { find(id: SandboxId): Sandbox | undefined };
  readonly containers: { list(): Container[] };
  /** Nanoseconds since the Unix epoch. */
  readonly now: () => bigint;
}

/** What a subscriber may lag behind: a node's worth of pods that all change at once. */
const MAX_WAITING = 4096;

export class PodEvents {
  readonly #deps: PodEventsDeps;
  readonly #subscribers = new Set<Subscriber>();
  #lastNs = 0n;

  constructor(deps: PodEventsDeps) {
    this.#deps = deps;
  }

  /**
   * All events from now on, until `signal` aborts.
   *
   * @throws {Fault} resource_exhausted — the subscriber read too slowly; what it missed it must list anew
   */
  async *subscribe(signal: AbortSignal): AsyncIterable<PodEvent> {
    const subscriber = new Subscriber(signal);
    this.#subscribers.add(subscriber);
    try {
      for (;;) {
        const event = await subscriber.next();
        if (event === undefined) return;
        yield event;
      }
    } finally {
      this.#subscribers.delete(subscriber);
      subscriber.close();
    }
  }

  containerChanged(before: Container | undefined, after: Container | undefined): void {
    const type = containerEvent(before?.state.phase, after?.state.phase);
    const container = after ?? before;
    if (type === undefined || container === undefined) return;
    this.#tell(type, container.id, this.#deps.sandboxes.find(container.sandboxId));
  }

  sandboxChanged(before: Sandbox | undefined, after: Sandbox | undefined): void {
    const sandbox = after ?? before;
    if (sandbox === undefined) return;
    for (const type of sandboxEvents(before?.state.phase, after?.state.phase)) {
      this.#tell(type, sandbox.id, sandbox);
    }
  }

  #tell(type: PodEventType, id: string, sandbox: Sandbox | undefined): void {
    if (this.#subscribers.size === 0) return;
    const containers = this.#deps.containers
      .list()
      .filter(({ sandboxId, state }) => sandboxId === sandbox?.id && state.phase !== 'creating');
    const event: PodEvent = { type, id, atNs: this.#next(), sandbox, containers };
    for (const subscriber of this.#subscribers) subscriber.push(event);
  }

  #next(): bigint {
    const now = this.#deps.now();
    this.#lastNs = now > this.#lastNs ? now : this.#lastNs + 1n;
    return this.#lastNs;
  }
}

/** The event that a change of phase is, if it is one that the kubelet can see. */
export function containerEvent(
  before: ContainerPhase | undefined,
  after: ContainerPhase | undefined,
): PodEventType | undefined {
  if (before === after) return undefined;
  if (after === undefined) return before === 'creating' ? undefined : 'deleted';
  if (after === 'created') return before === 'creating' ? 'created' : undefined;
  if (after === 'running') return 'started';
  return after === 'exited' ? 'stopped' : undefined;
}

/** A sandbox is created and started in one. */
export function sandboxEvents(
  before: SandboxPhase | undefined,
  after: SandboxPhase | undefined,
): readonly PodEventType[] {
  if (before === after) return [];
  if (after === undefined) return before === 'creating' ? [] : ['deleted'];
  if (after === 'ready') return ['created', 'started'];
  return after === 'stopped' ? ['stopped'] : [];
}

/** A queue with an end. */
class Subscriber {
  readonly #signal: AbortSignal;
  readonly #waiting: PodEvent[] = [];
  #lost = 0;
  #wake: () => void = () => undefined;
  readonly #onAbort = () => {
    this.#wake();
  };

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', this.#onAbort);
  }

  push(event: PodEvent): void {
    if (this.#waiting.length >= MAX_WAITING) this.#lost += 1;
    else this.#waiting.push(event);
    this.#wake();
  }

  /** @returns `undefined` when the signal has aborted */
  async next(): Promise<PodEvent | undefined> {
    for (;;) {
      if (this.#signal.aborted) return undefined;
      if (this.#lost > 0) {
        throw new Fault(
          'resource_exhausted',
          `the subscriber reads too slowly and lost ${this.#lost} events`,
        );
      }
      const event = this.#waiting.shift();
      if (event !== undefined) return event;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  close(): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
  }
}
