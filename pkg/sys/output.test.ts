import { once } from 'node:events';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { openPipe, closeFd, readableFd } from './pipe.ts';
import { Output } from './output.ts';

test('a stream that has ended before anybody listened has ended', async () => {
  const { readFd, writeFd } = openPipe();
  const stream = readableFd(readFd);
  closeFd(writeFd);
  await once(stream, 'close');
  const output = new Output(stream, 10);
  await output.ended;
  expect(output.bytes()).toEqual(Buffer.alloc(0));
});

test('of a long stream the beginning is kept, and all of it is read', async () => {
  const output = new Output(Readable.from([Buffer.from('abc'), Buffer.from('def')]), 4);
  await output.ended;
  expect(output.bytes().toString()).toBe('abcd');
});
