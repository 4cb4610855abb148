import { expect, test } from 'vitest';
import { Fresh, type Reading } from './fresh.ts';

const { signal } = new AbortController();

/** Answers each key with how often it was read. */
class Source {
  nowMs = 0;
  readonly asked: (readonly string[])[] = [];
  readonly #counts = new Map<string, number>();
  readonly fresh = new Fresh<number>({
    maxAgeMs: 1000,
    now: () => this.nowMs,
    read: (keys) => this.read(keys),
  });

  async read(keys: readonly string[]): Promise<Reading<number>> {
    this.asked.push(keys);
    for (const key of keys) this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    return new Map(keys.filter((key) => key !== 'gone').map((key) => [key, this.#counts.get(key) ?? 0]));
  }
}

test('what was read a moment ago is not read again, and what was not is', async () => {
  const source = new Source();
  await source.fresh.get(signal, ['a']);
  source.nowMs = 1000;

  const values = await source.fresh.get(signal, ['a', 'b', 'b']);

  expect(Object.fromEntries(values)).toEqual({ a: 1, b: 1 });
  expect(source.asked).toEqual([['a'], ['b']]);
});

test('what is too old is read again', async () => {
  const source = new Source();
  await source.fresh.get(signal, ['a']);
  source.nowMs = 1001;
  expect(source.fresh.has('a')).toBe(false);

  expect(Object.fromEntries(await source.fresh.get(signal, ['a']))).toEqual({ a: 2 });
});

test('what is being read already is not read twice', async () => {
  const source = new Source();

  const both = await Promise.all([source.fresh.get(signal, ['a']), source.fresh.get(signal, ['a', 'b'])]);

  expect(both.map((values) => Object.fromEntries(values))).toEqual([{ a: 1 }, { a: 1, b: 1 }]);
  expect(source.asked).toEqual([['a'], ['b']]);
});

test('what is not there has no value', async () => {
  const source = new Source();
  expect(Object.fromEntries(await source.fresh.get(signal, ['gone', 'a']))).toEqual({ a: 1 });
});

test('a failure is told to who waits, and forgotten', async () => {
  const results = [Promise.reject(new Error('broken')), Promise.resolve(new Map([['a', 1]]))];
  const fresh = new Fresh<number>({ maxAgeMs: 1000, now: () => 0, read: () => results.shift()! });

  await expect(fresh.get(signal, ['a'])).rejects.toThrow('broken');

  expect(Object.fromEntries(await fresh.get(signal, ['a']))).toEqual({ a: 1 });
});

test('a caller that leaves does not end the reading for others', async () => {
  const source = new Source();
  const leaving = new AbortController();
  const left = source.fresh.get(leaving.signal, ['a']);
  const staying = source.fresh.get(signal, ['a']);

  leaving.abort(new Error('left'));

  await expect(left).rejects.toThrow('left');
  expect(Object.fromEntries(await staying)).toEqual({ a: 1 });
});
