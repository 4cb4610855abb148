import { expect, test } from 'vitest';
import { signalName, signalNumber } from './signal-number.ts';

test.each([
  ['SIGTERM', 15],
  ['term', 15],
  ['9', 9],
  ['SIGRTMIN', 34],
  ['SIGRTMIN+3', 37],
  ['SIGRTMAX-14', 50],
])('signalNumber() knows %s as %d', (name, number) => {
  expect(signalNumber(name)).toBe(number);
});

test.each(['', 'SIGNONE', '0', '65', '-1', 'SIGRTMIN+31', 'toString'])(
  'signalNumber() refuses "%s"',
  (name) => {
    expect(() => signalNumber(name)).toThrow(`"${name}" is not a signal`);
  },
);

test('signalName() knows the signals that end programs, and no others', () => {
  expect([6, 9, 11, 15].map(signalName)).toEqual(['SIGABRT', 'SIGKILL', 'SIGSEGV', 'SIGTERM']);
  expect([0, -1, 100].map(signalName)).toEqual([undefined, undefined, undefined]);
});
