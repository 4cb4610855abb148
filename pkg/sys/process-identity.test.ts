import { expect, test } from 'vitest';
import { parseProcessStat } from './process-identity.ts';

test('parseProcessStat() is not misled by the name of the program', () => {
  const rest = Array.from({ length: 18 }, (_, index) => index).join(' ');
  expect(parseProcessStat(`42 (a) Z 1 (b) S ${rest} 12345 0`)).toEqual({ state: 'S', startTicks: '12345' });
});

test('parseProcessStat() rejects what it does not understand', () => {
  expect(() => parseProcessStat('nonsense')).toThrow('cannot read process status: nonsense');
});
