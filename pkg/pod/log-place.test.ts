import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeLogPlace } from './log-place.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'davit-test-'));
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

test('makeLogPlace() makes what is missing, and may be repeated', async () => {
  const logs = join(dir, 'pods/a');
  await makeLogPlace(logs, join(logs, 'main/0.log'));
  await makeLogPlace(logs, join(logs, 'main/0.log'));
  expect(existsSync(join(logs, 'main'))).toBe(true);
});

test('makeLogPlace() follows a link above the directory of the pod, which is the kubelet’s', async () => {
  mkdirSync(join(dir, 'disk'));
  symlinkSync(join(dir, 'disk'), join(dir, 'logs'));
  await makeLogPlace(join(dir, 'logs/a'), join(dir, 'logs/a/main/0.log'));
  expect(existsSync(join(dir, 'disk/a/main'))).toBe(true);
});

test('makeLogPlace() refuses a link in the directory of the pod, and makes nothing behind it', async () => {
  mkdirSync(join(dir, 'elsewhere'));
  symlinkSync(join(dir, 'elsewhere'), join(dir, 'main'));
  await expect(makeLogPlace(dir, join(dir, 'main/below/0.log'))).rejects.toMatchObject({
    code: 'failed_precondition',
    message: `cannot write logs in "${join(dir, 'main')}": it is not a directory`,
  });
  expect(existsSync(join(dir, 'elsewhere/below'))).toBe(false);
});

test('makeLogPlace() refuses a link in place of the log', async () => {
  writeFileSync(join(dir, 'shadow'), '');
  symlinkSync(join(dir, 'shadow'), join(dir, '0.log'));
  await expect(makeLogPlace(dir, join(dir, '0.log'))).rejects.toMatchObject({
    code: 'failed_precondition',
    message: `cannot write the log "${join(dir, '0.log')}": it is not an ordinary file`,
  });
});
