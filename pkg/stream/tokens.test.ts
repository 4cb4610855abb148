import { expect, test } from 'vitest';
import { Tokens } from './tokens.ts';

function tokensAt(clock: { now: number }) {
  return new Tokens<string>({ lifetimeMs: 1000, maxPending: 2, now: () => clock.now });
}

test('a token is good once', () => {
  const tokens = tokensAt({ now: 0 });
  const token = tokens.issue('a');
  expect([tokens.take(token), tokens.take(token)]).toEqual(['a', undefined]);
});

test('a token expires', () => {
  const clock = { now: 0 };
  const tokens = tokensAt(clock);
  const token = tokens.issue('a');
  clock.now = 1000;
  expect(tokens.take(token)).toBeUndefined();
});

test('tokens that are not used are bounded, until they expire', () => {
  const clock = { now: 0 };
  const tokens = tokensAt(clock);
  tokens.issue('a');
  tokens.issue('b');
  expect(() => tokens.issue('c')).toThrow(expect.objectContaining({ code: 'resource_exhausted' }) as Error);
  clock.now = 1000;
  expect(tokens.take(tokens.issue('d'))).toBe('d');
});

test('a token has 256 random bits', () => {
  const tokens = tokensAt({ now: 0 });
  const [first, second] = [tokens.issue('a'), tokens.issue('b')];
  expect(Buffer.from(first, 'base64url')).toHaveLength(32);
  expect(first).not.toBe(second);
});
