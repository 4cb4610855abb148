// The node's pod CIDR as the kubelet last told it. It is kept, because a kubelet tells it only now and then.

import type { Sandbox } from '../../pkg/sandbox/sandbox.ts';
import type { Database } from '../../pkg/store/database.ts';

const SECTION = 'node';
const KEY = 'podCidr';

export class PodCidr {
  readonly #db: Database;
  #value: string;

  private constructor(db: Database, value: string) {
    this.#db = db;
    this.#value = value;
  }

  /** @param pods that were run with it: they know it, if the database has lost it */
  static async load(
    db: Database,
    pods: readonly Pick<Sandbox, 'podCidr' | 'createdAtNs'>[],
  ): Promise<PodCidr> {
    const entry = (await db.entries(SECTION)).find(([key]) => key === KEY);
    const value: unknown = entry === undefined ? ofLatest(pods) : JSON.parse(entry[1]);
    return new PodCidr(db, typeof value === 'string' ? value : '');
  }

  /** '' if the kubelet has told none. */
  get(): string {
    return this.#value;
  }

  async set(podCidr: string): Promise<void> {
    if (podCidr === this.#value) return;
    await this.#db.commit(this.#db.put(SECTION, KEY, podCidr));
    this.#value = podCidr;
  }
}

function ofLatest(pods: readonly Pick<Sandbox, 'podCidr' | 'createdAtNs'>[]): string {
  const [latest] = pods.toSorted((a, b) => (a.createdAtNs < b.createdAtNs ? 1 : -1));
  return latest?.podCidr ?? '';
}
