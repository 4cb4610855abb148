import { expect, test } from 'vitest';
import { silentLog, testCall } from '../base/testing/call.ts';
import { eventually } from '../sys/testing/eventually.ts';
import { LayerUsages } from './layer-usage.ts';
import type { TreeUsage } from './usage.ts';

/** Each walk finds one inode more, and takes as long as it is told. */
class Walker {
  nowMs = 1;
  walkMs = 1;
  walked: string[] = [];
  hold: Promise<unknown> = Promise.resolve();
  readonly layers = new LayerUsages({ log: silentLog, now: () => this.nowMs, walk: (id) => this.#walk(id) });

  async #walk(id: string): Promise<TreeUsage | undefined> {
    this.walked.push(id);
    await this.hold;
    this.nowMs += this.walkMs;
    if (id === 'broken') throw new Error('broken');
    return id === 'gone'
      ? undefined
      : { takenAtNs: 5n, usedBytes: 4096n, inodes: BigInt(this.walked.length) };
  }

  async inodes(...ids: string[]): Promise<Record<string, bigint>> {
    const usages = await this.layers.get(testCall, ids);
    return Object.fromEntries([...usages].map(([id, { inodes }]) => [id, inodes]));
  }
}

test('a layer is walked when it is first asked for, and not again for 10 seconds', async () => {
  const walker = new Walker();
  expect(await walker.inodes('a', 'b')).toEqual({ a: 1n, b: 2n });
  walker.nowMs += 9_000;
  expect(await walker.inodes('a')).toEqual({ a: 1n });
  expect(walker.walked).toEqual(['a', 'b']);
});

test('when it is due, the call is answered with what is known, and the next one with what was found', async () => {
  const walker = new Walker();
  await walker.inodes('a');
  walker.nowMs += 11_000;

  expect(await walker.inodes('a')).toEqual({ a: 1n });

  await eventually(() => walker.walked.length === 2);
  expect(await walker.inodes('a')).toEqual({ a: 2n });
});

test('a layer that takes long to walk is walked less often', async () => {
  const walker = new Walker();
  walker.walkMs = 2_000;
  await walker.inodes('a');
  walker.nowMs += 37_000;
  await walker.inodes('a');
  expect(walker.walked).toEqual(['a']);
  walker.nowMs += 1_001;
  await walker.inodes('a');
  expect(walker.walked).toEqual(['a', 'a']);
});

test('calls do not wait long for a first walk, and other layers wait for its end', async () => {
  const walker = new Walker();
  const { promise, resolve } = Promise.withResolvers<undefined>();
  walker.hold = promise;

  const first = walker.inodes('large', 'small');
  walker.nowMs += 2000;
  expect(await walker.inodes('large', 'small')).toEqual({}); // without waiting
  expect(await first).toEqual({});
  expect(walker.walked).toEqual(['large']);

  resolve(undefined);
  await eventually(() => walker.walked.length === 2);
  expect(await walker.inodes('large', 'small')).toEqual({ large: 1n, small: 2n });
});

test('a layer that is gone or cannot be walked has no usage, and costs no other', async () => {
  const walker = new Walker();
  expect(await walker.inodes('gone', 'broken', 'a')).toEqual({ a: 3n });
});
