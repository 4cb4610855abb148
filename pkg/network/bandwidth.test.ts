import { expect, test } from 'vitest';
import { EGRESS_ANNOTATION, INGRESS_ANNOTATION, parseBandwidth, parseQuantity } from './bandwidth.ts';

test('parseBandwidth() reads both directions', () => {
  expect(parseBandwidth({ [INGRESS_ANNOTATION]: '10M', [EGRESS_ANNOTATION]: '1Gi' })).toEqual({
    ingressRate: 10_000_000,
    egressRate: 1_073_741_824,
  });
});

test('parseBandwidth() leaves a direction unlimited of which nothing is said', () => {
  expect(parseBandwidth({ [EGRESS_ANNOTATION]: '1k' })).toEqual({ egressRate: 1000 });
});

test('parseBandwidth() has nothing to say about a pod without the annotations', () => {
  expect(parseBandwidth({ other: '1M' })).toBeUndefined();
});

test.for(['10 M', 'fast', '', '999', '-1M', '1001T'])('parseBandwidth() refuses "%s"', (text) => {
  expect(() => parseBandwidth({ [INGRESS_ANNOTATION]: text })).toThrow(`"${text}"`);
});

test.for([
  ['1500', 1500n],
  ['+1.5k', 1500n],
  ['.5M', 500_000n],
  ['1.', 1n],
  ['2e3', 2000n],
  ['1E', 10n ** 18n],
  ['1E3', 1000n],
  ['1.5Ki', 1536n],
  ['1Ei', 2n ** 60n],
  ['100m', 1n],
  ['1001m', 2n],
  ['1n', 1n],
  ['0', 0n],
] as const)('parseQuantity() reads "%s"', ([text, value]) => {
  expect(parseQuantity(text)).toBe(value);
});

test.for(['', '.', 'k', '1K', '1ki', '-1', '1 M', '0x10', `1${'0'.repeat(64)}`])(
  'parseQuantity() does not take "%s" for a quantity',
  (text) => {
    expect(parseQuantity(text)).toBeUndefined();
  },
);
