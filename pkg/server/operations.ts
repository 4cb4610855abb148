// The RPCs under way: which, of what, at which stage, and for how long.

import type { Stage } from '../base/timeline.ts';

/** What is known of an RPC that has not been answered yet. Times are milliseconds since the Unix epoch. */
export interface Operation {
  /** As the specification spells it: `RunPodSandbox`. */
  readonly method: string;
  /** What the request names, shortened: an id, `namespace/name` of a pod, an image; '' if it names nothing. */
  readonly subject: string;
  readonly startedAtMs: number;
  /** Absent while it is at none. */
  readonly stage?: Stage | undefined;
  /** The stages around it, the outermost first. */
  readonly within: readonly Stage[];
  /** When a stage began or ended last, else the start. */
  readonly changedAtMs: number;
}

export class Operations {
  readonly #sources: Iterable<{ describe(): Operation }>[] = [];

  /** @param rpcs those of one server; its owner keeps it current */
  follow(rpcs: Iterable<{ describe(): Operation }>): void {
    this.#sources.push(rpcs);
  }

  /** The oldest first. */
  list(): Operation[] {
    const all = this.#sources.flatMap((rpcs) => [...rpcs].map((rpc) => rpc.describe()));
    return all.sort((a, b) => a.startedAtMs - b.startedAtMs);
  }
}
