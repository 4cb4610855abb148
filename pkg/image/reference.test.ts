import { expect, test } from 'vitest';
import { parseReference, toRepoTag } from './reference.ts';

const HEX = 'a'.repeat(64);

test.each([
  ['busybox', 'docker.io/library/busybox:latest'],
  ['busybox:1.36', 'docker.io/library/busybox:1.36'],
  ['docker.io/busybox', 'docker.io/library/busybox:latest'],
  ['index.docker.io/library/busybox', 'docker.io/library/busybox:latest'],
  ['user/app', 'docker.io/user/app:latest'],
  ['localhost/app', 'localhost/app:latest'],
  ['localhost:5000/a/b/c:v1', 'localhost:5000/a/b/c:v1'],
  ['[::1]:5000/app', '[::1]:5000/app:latest'],
  ['registry.k8s.io/pause:3.10', 'registry.k8s.io/pause:3.10'],
  [`a.example/app@sha256:${HEX}`, `a.example/app@sha256:${HEX}`],
  [`a.example/app:v1@sha256:${HEX}`, `a.example/app:v1@sha256:${HEX}`],
])('parseReference("%s") gives the normal form %s', (text, normal) => {
  expect(parseReference(text).toString()).toBe(normal);
});

test.each([
  '',
  'a/UPPER',
  'a//b',
  'busybox:',
  'busybox:-x',
  'busybox@sha256:abc',
  'http://a.example/b',
  'a.example/b c',
  '../etc/passwd',
  'a.example:99999999/b',
  HEX,
  'x'.repeat(300),
])('parseReference("%s") is refused', (text) => {
  expect(() => parseReference(text)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
});

test('toRepoTag() leaves the digest out', () => {
  expect(toRepoTag(parseReference(`app:v1@sha256:${HEX}`))).toBe('docker.io/library/app:v1');
});
