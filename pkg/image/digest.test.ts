import { expect, test } from 'vitest';
import { isDigest, sha256Of, toChainIds, verifyDigest } from './digest.ts';

test('toChainIds() names each layer with all below it', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((text) => sha256Of(text)) as [string, string, string];
  expect(toChainIds([a, b, c])).toEqual([
    a,
    sha256Of(`${a} ${b}`),
    sha256Of(`${sha256Of(`${a} ${b}`)} ${c}`),
  ]);
});

test('verifyDigest() names the digest that does not hold', () => {
  const digest = sha256Of('right');
  expect(() => {
    verifyDigest(Buffer.from('wrong'), digest, 'manifest');
  }).toThrow(
    expect.objectContaining({ code: 'data_loss', message: expect.stringContaining(digest) as string }),
  );
});

test.each(['sha256:' + 'A'.repeat(64), 'sha256:abc', 'md5:' + 'a'.repeat(32), 'a'.repeat(64)])(
  '"%s" is no digest',
  (text) => {
    expect(isDigest(text)).toBe(false);
  },
);
