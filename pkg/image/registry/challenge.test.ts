import { expect, test } from 'vitest';
import { parseChallenge } from './challenge.ts';

test('parseChallenge() reads a bearer challenge', () => {
  const header = 'Bearer realm="https://auth.example/token",service="reg",scope="repository:a/b:pull,push"';
  expect(parseChallenge(header)).toEqual({
    kind: 'bearer',
    realm: 'https://auth.example/token',
    service: 'reg',
    scope: 'repository:a/b:pull,push',
  });
});

test('parseChallenge() prefers bearer to basic, in any order', () => {
  expect(parseChallenge('Basic realm="x", Bearer realm="https://a"')?.kind).toBe('bearer');
  expect(parseChallenge(['Bearer realm="https://a"', 'Basic realm="x"'])?.kind).toBe('bearer');
});

test.each([
  ['basic realm="x"', 'basic'],
  ['Bearer service="x"', undefined],
  ['Negotiate', undefined],
  [undefined, undefined],
])('parseChallenge(%s) is %s', (header, kind) => {
  expect(parseChallenge(header)?.kind).toBe(kind);
});
