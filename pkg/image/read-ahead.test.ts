import { expect, test } from 'vitest';
import { readAhead } from './read-ahead.ts';

/** Gives pieces in one buffer that is used again, as a network does; notes how far it was read, and its end. */
function makeSource(pieces: readonly string[], failure?: Error) {
  const seen = { asked: 0, closed: false };
  async function* chunks(): AsyncGenerator<Buffer> {
    const buffer = Buffer.alloc(100);
    try {
      for (const piece of pieces) {
        seen.asked += 1;
        await Promise.resolve();
        yield buffer.subarray(0, buffer.write(piece));
        buffer.fill('!');
      }
      if (failure !== undefined) throw failure;
    } finally {
      seen.closed = true;
    }
  }
  return { seen, chunks: chunks() };
}

async function textOf(chunks: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const chunk of chunks) text += chunk.toString();
  return text;
}

const LETTERS = Array.from('abcdefghij');
const tick = () => new Promise((resolve) => setImmediate(resolve));

test.each([
  ['at once', 0, 4],
  ['after some reading', 1, 4],
  ['when the limit is reached', 5, 4],
  ['when all has been read', 5, 1000],
])('all comes in its order and unspoilt when the turn comes %s', async (_, ticks, limit) => {
  const { chunks, seen } = makeSource(LETTERS);
  const turn = (async () => {
    for (let n = 0; n < ticks; n++) await tick();
    return 'mine';
  })();
  const result = await readAhead(chunks, turn, limit);
  expect([result.turn, await textOf(result.chunks), seen.closed]).toEqual(['mine', 'abcdefghij', true]);
});

test('no more is read than the limit says, while the turn has not come', async () => {
  const { chunks, seen } = makeSource(LETTERS);
  let begin = (): void => undefined;
  const reading = readAhead(chunks, new Promise<void>((resolve) => (begin = resolve)), 3);
  for (let n = 0; n < 5; n++) await tick();
  expect(seen.asked).toBe(3);
  begin();
  expect(await textOf((await reading).chunks)).toBe('abcdefghij');
});

test('a failure of the source comes after what it gave before', async () => {
  const { chunks } = makeSource(['a', 'b'], new Error('cut'));
  const { chunks: result } = await readAhead(chunks, tick(), 100);
  const got: string[] = [];
  const reading = (async () => {
    for await (const chunk of result) got.push(chunk.toString());
  })();
  await expect(reading).rejects.toThrow('cut');
  expect(got).toEqual(['a', 'b']);
});

test('a turn that never comes closes the source', async () => {
  const { chunks, seen } = makeSource(LETTERS);
  const turn = tick().then(() => {
    throw new Error('left');
  });
  await expect(readAhead(chunks, turn, 3)).rejects.toThrow('left');
  expect(seen.closed).toBe(true);
});

test('who stops reading closes the source', async () => {
  const { chunks, seen } = makeSource(LETTERS);
  const { chunks: result } = await readAhead(chunks, Promise.resolve(), 3);
  for await (const _ of result) break;
  expect(seen.closed).toBe(true);
});
