import { expect, test } from 'vitest';
import { isAtLeast, selectVersion } from './cni-version.ts';

test('selectVersion() takes the highest version that is offered and known', () => {
  expect(selectVersion('0.3.1', ['1.0.0', '0.4.0', '7.0.0'])).toBe('1.0.0');
});

test('selectVersion() takes nothing said for the first version', () => {
  expect(selectVersion(undefined)).toBe('0.1.0');
});

test('selectVersion() has no answer to versions that came after us', () => {
  expect(selectVersion('2.0.0')).toBeUndefined();
});

test('isAtLeast() orders versions by age', () => {
  expect([isAtLeast('1.1.0', '1.1.0'), isAtLeast('0.4.0', '1.0.0')]).toEqual([true, false]);
});
