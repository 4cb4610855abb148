// How many cores a group has been using: the difference between two samples of it.

import type { GroupUsage } from './usage.ts';

interface Point {
  readonly takenAtNs: bigint;
  readonly usageNs: bigint;
  readonly nanoCores: bigint | undefined;
}

const NS_PER_S = 1_000_000_000n;
/** Over less, a rate says more about the scheduler's clock than about the group. */
const MIN_NS = NS_PER_S / 2n;
/** Over more, it is not the present one. */
const MAX_NS = 120n * NS_PER_S;

export class CpuRates {
  readonly #points = new Map<string, Point>();

  /** Adds the rate to new samples, and remembers them. Two samples too close to each other have the same rate. */
  apply(usages: ReadonlyMap<string, GroupUsage>): Map<string, GroupUsage> {
    const rated = new Map<string, GroupUsage>();
    for (const [path, usage] of usages) {
      const { nanoCores } = this.#advance(path, usage);
      rated.set(path, { ...usage, cpu: { ...usage.cpu, nanoCores } });
    }
    this.#forgetOld(usages);
    return rated;
  }

  #advance(path: string, { takenAtNs, cpu: { usageNs } }: GroupUsage): Point {
    const last = this.#points.get(path);
    const elapsedNs = last === undefined ? 0n : takenAtNs - last.takenAtNs;
    if (last !== undefined && elapsedNs >= 0n && elapsedNs < MIN_NS) return last;
    const isUsable = last !== undefined && elapsedNs > 0n && elapsedNs <= MAX_NS && usageNs >= last.usageNs;
    const nanoCores = isUsable ? ((usageNs - last.usageNs) * NS_PER_S) / elapsedNs : undefined;
    const point = { takenAtNs, usageNs, nanoCores };
    this.#points.set(path, point);
    return point;
  }

  /** Groups that nobody has asked for, because they are gone. */
  #forgetOld(usages: ReadonlyMap<string, GroupUsage>): void {
    const [now] = [...usages.values()].map(({ takenAtNs }) => takenAtNs);
    if (now === undefined) return;
    for (const [path, { takenAtNs }] of this.#points) if (now - takenAtNs > MAX_NS) this.#points.delete(path);
  }
}
