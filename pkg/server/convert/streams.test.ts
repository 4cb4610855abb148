import { expect, test } from 'vitest';
import { toWantedStreams } from './streams.ts';

const nothing = { stdin: false, stdout: false, stderr: false, tty: false };

test.for([{ ...nothing }, { ...nothing, tty: true }, { ...nothing, stdout: true, stderr: true, tty: true }])(
  'toWantedStreams() refuses %o',
  (request) => {
    expect(() => toWantedStreams(request)).toThrow(
      expect.objectContaining({ code: 'invalid_argument' }) as Error,
    );
  },
);

test.for([
  { ...nothing, stdin: true },
  { ...nothing, stdout: true, stderr: true },
  { ...nothing, stdin: true, stdout: true, tty: true },
])('toWantedStreams() takes %o', (request) => {
  expect(toWantedStreams(request)).toEqual(request);
});
