// Kills for want of memory, as the cgroup above a container's counts them. systemd takes away the cgroup of a
// container with its last process, often before anybody has read it; version 2 counts in those above, too.

import { dirname } from 'node:path';
import type { ContainerId } from '../base/id.ts';
import type { Container } from './container.ts';

export interface KillCounts {
  exists(path: string): Promise<boolean>;
  oomKills(path: string): Promise<number>;
}

interface Watched {
  readonly parent: string;
  /** Kills below the parent that were no kills of this container. */
  others: number;
}

export class OomCounts {
  readonly #groups: KillCounts;
  readonly #isKnown: (id: ContainerId) => boolean;
  readonly #watched = new Map<ContainerId, Watched>();

  /** @param isKnown whether there is such a container: one may be removed without having ended */
  constructor(groups: KillCounts, isKnown: (id: ContainerId) => boolean) {
    this.#groups = groups;
    this.#isKnown = isKnown;
  }

  /** From now on kills are counted. A daemon that was away does not know of those before. */
  async watch({ id, cgroupPath }: Pick<Container, 'id' | 'cgroupPath'>): Promise<void> {
    for (const other of this.#watched.keys()) if (!this.#isKnown(other)) this.#watched.delete(other);
    const parent = dirname(cgroupPath);
    this.#watched.set(id, { parent, others: await this.#groups.oomKills(parent) });
  }

  /**
   * Ends the counting for a container that has ended; what was its is not taken for its siblings'.
   *
   * @returns how many kills can only have been in it, though its cgroup is gone; 0 if that is there and tells itself
   */
  async take({ id, cgroupPath }: Pick<Container, 'id' | 'cgroupPath'>): Promise<number> {
    const watched = this.#watched.get(id);
    this.#watched.delete(id);
    if (watched === undefined) return 0;
    const { parent, others } = watched;
    const [isThere, own, all] = await Promise.all([
      this.#groups.exists(cgroupPath),
      this.#groups.oomKills(cgroupPath),
      this.#groups.oomKills(parent),
    ]);
    const kills = isThere ? own : Math.max(0, all - others);
    for (const sibling of this.#watched.values()) if (sibling.parent === parent) sibling.others += kills;
    return isThere ? 0 : kills;
  }
}
