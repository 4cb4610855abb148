import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { testCall } from '../../base/testing/call.ts';
import { AppArmor } from './apparmor.ts';

const directory = mkdtempSync(join(tmpdir(), 'davit-test-'));
afterAll(() => {
  rmSync(directory, { recursive: true });
});

interface Node {
  readonly apparmor: AppArmor;
  /** What the parser was given, one text for each time that it ran. */
  readonly loaded: () => string[];
  readonly setProfiles: (text: string) => void;
}

let count = 0;

/** A node whose kernel says so, with a parser that keeps what it is given. */
function nodeWith(kernel: { enabled?: string; profiles?: string; parserExit?: number }): Node {
  const dir = join(directory, String((count += 1)));
  const sys = join(dir, 'sys');
  const put = (path: string, text: string) => {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  };
  const setProfiles = (text: string) => {
    put('sys/kernel/security/apparmor/profiles', text);
  };
  if (kernel.enabled !== undefined) put('sys/module/apparmor/parameters/enabled', kernel.enabled);
  setProfiles(kernel.profiles ?? '');
  const parser = join(dir, 'parser');
  put('seen', '');
  const exit = kernel.parserExit ?? 0;
  put('parser', `#!/bin/sh\ncat >> ${dir}/seen\necho END >> ${dir}/seen\necho no room >&2\nexit ${exit}\n`);
  chmodSync(parser, 0o755);
  const policyDir = join(dir, 'policy');
  return {
    apparmor: new AppArmor({ parser, sys, policyDir }),
    loaded: () => readFileSync(join(dir, 'seen'), 'utf8').split('END\n').slice(0, -1),
    setProfiles,
  };
}

const select = (
  { apparmor }: Node,
  choice: Parameters<AppArmor['select']>[1],
  privileged = false,
): Promise<string | undefined> => apparmor.select(testCall, choice, { privileged });

const web = { kind: 'localhost', reference: 'web' } as const;

test.each([undefined, 'N\n'])('where the kernel says %j only a named profile is refused', async (enabled) => {
  const node = nodeWith(enabled === undefined ? {} : { enabled });
  for (const kind of ['unset', 'runtime_default', 'unconfined'] as const)
    expect(await select(node, { kind })).toBeUndefined();
  await expect(select(node, web)).rejects.toMatchObject({
    code: 'failed_precondition',
    message: 'cannot use AppArmor profile "web": the kernel of this node has no AppArmor',
  });
  expect(node.loaded()).toEqual([]);
});

test('a container that asks for the default profile, or for none, gets it, loaded once', async () => {
  const node = nodeWith({ enabled: 'Y\n', profiles: 'davit-default (enforce)\n' });
  expect(await select(node, { kind: 'runtime_default' })).toBe('davit-default');
  expect(await select(node, { kind: 'unset' })).toBe('davit-default');
  expect(node.loaded()).toEqual([expect.stringContaining('profile davit-default flags=')]);
});

test('containers that come at the same time load it once', async () => {
  const node = nodeWith({ enabled: 'Y\n', profiles: 'davit-default (enforce)\n' });
  await Promise.all(Array.from({ length: 5 }, () => select(node, { kind: 'unset' })));
  expect(node.loaded()).toHaveLength(1);
});

test('a profile that was taken out of the kernel is loaded again', async () => {
  const node = nodeWith({ enabled: 'Y\n', profiles: 'davit-default (enforce)\n' });
  await select(node, { kind: 'unset' });
  node.setProfiles('davit-default2 (enforce)\n');
  await select(node, { kind: 'unset' });
  expect(node.loaded()).toHaveLength(2);
});

test('a parser that fails is an error with its words, and is tried again', async () => {
  const node = nodeWith({ enabled: 'Y\n', parserExit: 1 });
  for (const _ of [1, 2]) {
    await expect(select(node, { kind: 'unset' })).rejects.toMatchObject({
      code: 'internal',
      message: expect.stringMatching(
        /^cannot load AppArmor profile "davit-default": .* failed: no room$/,
      ) as string,
    });
  }
});

test.each(['unset', 'runtime_default', 'unconfined'] as const)(
  'a privileged container that asks for %s has no profile',
  async (kind) => {
    const node = nodeWith({ enabled: 'Y\n' });
    expect(await select(node, { kind }, true)).toBeUndefined();
    expect(node.loaded()).toEqual([]);
  },
);

test.each([
  ['web (enforce)\n', false],
  ['other (enforce)\nweb (complain)\n', true],
])('a named profile that is loaded is used: %j', async (profiles, privileged) => {
  expect(await select(nodeWith({ enabled: 'Y\n', profiles }), web, privileged)).toBe('web');
});

test('a named profile that is not loaded is refused by name', async () => {
  const node = nodeWith({ enabled: 'Y\n', profiles: 'webber (enforce)\nweb//child (enforce)\n' });
  await expect(select(node, web)).rejects.toMatchObject({
    code: 'failed_precondition',
    message: 'cannot use AppArmor profile "web": it is not loaded on this node',
  });
});

test('without the parser there is no profile, and the node says so', async () => {
  const { apparmor } = nodeWith({ enabled: 'Y\n' });
  expect(await apparmor.state()).toBe('on');
  const bare = new AppArmor({ parser: '/nowhere/parser', sys: join(directory, String(count), 'sys') });
  expect(await bare.state()).toBe('no_parser');
  expect(await bare.select(testCall, { kind: 'unset' }, { privileged: false })).toBeUndefined();
});
