import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readAllDevices, readDevices } from './host-devices.ts';

test('readDevices() finds a device node', async () => {
  const request = { hostPath: '/dev/full', containerPath: '/dev/other', permissions: 'rw' };
  expect(await readDevices(request)).toEqual([
    { path: '/dev/other', type: 'c', major: 1, minor: 7, fileMode: 0o666, uid: 0, gid: 0, permissions: 'rw' },
  ]);
});

test('readDevices() of a directory finds all in it, and no other files', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'davit-test-'));
  expect(await readDevices({ hostPath: dir, containerPath: '/dev/x', permissions: 'r' })).toEqual([]);
  rmSync(dir, { recursive: true });
});

test.for([
  [
    { hostPath: '/dev/nosuch', containerPath: '/dev/x', permissions: 'r' },
    'there is no device "/dev/nosuch"',
  ],
  [{ hostPath: '/etc/passwd', containerPath: '/dev/x', permissions: 'r' }, '"/etc/passwd" is not a device'],
  [{ hostPath: '/dev/null', containerPath: '/dev/x', permissions: 'rx' }, '"rx" are not permissions'],
] as const)('readDevices() refuses %j', async ([request, message]) => {
  await expect(readDevices(request)).rejects.toMatchObject({
    code: 'invalid_argument',
    message: expect.stringContaining(message) as string,
  });
});

test('readAllDevices() has those of the host, but no terminals', async () => {
  const paths = (await readAllDevices()).map(({ path }) => path);
  expect(paths).toContain('/dev/null');
  expect(paths.filter((path) => path.startsWith('/dev/pts') || path === '/dev/ptmx')).toEqual([]);
});
