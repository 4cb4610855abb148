import { expect, test } from 'vitest';
import { subjectOf } from './subject.ts';

test.each([
  [{ containerId: 'c1' }, 'c1'],
  [{ podSandboxId: 'p1' }, 'p1'],
  [{ podSandboxId: 'p1', config: { metadata: { name: 'web' } } }, 'web of p1'],
  [{ config: { metadata: { name: 'web', namespace: 'shop' } } }, 'shop/web'],
  [{ image: { image: 'busybox' }, auth: { password: 'secret' } }, 'busybox'],
  [{ podSandboxId: '', verbose: true }, ''],
  [{ containerId: 7, image: null }, ''],
  [undefined, ''],
])('the subject of %j is "%s"', (request, subject) => {
  expect(subjectOf(request)).toBe(subject);
});

test('a long subject is cut, also where that splits a character', () => {
  expect(subjectOf({ containerId: `${'x'.repeat(127)}😀` })).toBe(`${'x'.repeat(127)}\ufffd`);
});
