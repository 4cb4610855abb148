import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { testCall } from '../../base/testing/call.ts';
import { run } from '../../sys/exec.ts';
import type { ProfileChoice } from '../security-profile.ts';
import { defaultProfile } from './default-profile.ts';
import { selectProfile, type SeccompOptions } from './select-profile.ts';

const directory = mkdtempSync(join(tmpdir(), 'davit-test-'));
afterAll(() => {
  rmSync(directory, { recursive: true });
});

const capabilities = ['CAP_SYS_TIME'];

function select(choice: ProfileChoice, unset: SeccompOptions['unset'] = 'unconfined') {
  return selectProfile({ unset, directory }, testCall, { choice, capabilities });
}

function write(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

const ALLOW = '{"defaultAction":"SCMP_ACT_ALLOW"}';

test('no filter for a container that wants none', async () => {
  expect(await select({ kind: 'unconfined' }, 'runtime_default')).toBeUndefined();
});

test('the default filter counts the capabilities of the container', async () => {
  expect(await select({ kind: 'runtime_default' })).toEqual(defaultProfile(capabilities));
});

test('a container that says nothing gets what the configuration says', async () => {
  expect(await select({ kind: 'unset' }, 'unconfined')).toBeUndefined();
  expect(await select({ kind: 'unset' }, 'runtime_default')).toEqual(defaultProfile(capabilities));
});

test('a profile of the node is found by its path, absolute or in the directory of profiles', async () => {
  mkdirSync(join(directory, 'team'));
  const absolute = write('team/a.json', ALLOW);
  const expected = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [] };
  expect(await select({ kind: 'localhost', reference: absolute })).toEqual(expected);
  expect(await select({ kind: 'localhost', reference: 'team/a.json' })).toEqual(expected);
});

test.each(['../a.json', 'a/../../b', '/a/../etc/x', '', 'a\0b'])(
  'the path %j is refused',
  async (reference) => {
    await expect(select({ kind: 'localhost', reference })).rejects.toMatchObject({
      code: 'invalid_argument',
    });
  },
);

test('a profile that is not there is named', async () => {
  await expect(select({ kind: 'localhost', reference: 'none.json' })).rejects.toMatchObject({
    code: 'failed_precondition',
    message: `cannot read seccomp profile "${join(directory, 'none.json')}"`,
  });
});

test('what is no file is refused, without waiting for a writer', async () => {
  const pipe = join(directory, 'pipe');
  await run(testCall, { file: '/usr/bin/mkfifo', args: [pipe] });
  const refusal = {
    code: 'failed_precondition',
    message: expect.stringContaining('it is not a file') as string,
  };
  await expect(select({ kind: 'localhost', reference: pipe })).rejects.toMatchObject(refusal);
  await expect(select({ kind: 'localhost', reference: directory })).rejects.toMatchObject(refusal);
});

test('a file as large as no profile is refused', async () => {
  const largest = write('largest.json', ALLOW.padEnd(256 * 1024));
  expect(await select({ kind: 'localhost', reference: largest })).toBeDefined();
  const reference = write('large.json', ALLOW.padEnd(256 * 1024 + 1));
  await expect(select({ kind: 'localhost', reference })).rejects.toThrow('has more than 262144 bytes');
});

test('a file that is no profile is named', async () => {
  const reference = write('broken.json', '{');
  await expect(select({ kind: 'localhost', reference })).rejects.toMatchObject({
    code: 'invalid_argument',
    message: `seccomp profile "${reference}" is not JSON`,
  });
});
