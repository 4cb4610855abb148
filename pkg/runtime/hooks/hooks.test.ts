import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { Fault } from '../../base/fault.ts';
import { silentLog } from '../../base/testing/call.ts';
import { Timeline } from '../../base/timeline.ts';
import { findFailedHook, findFailedStart, withHookNames } from './failure.ts';
import { Hooks } from './hooks.ts';
import type { HookSubject } from './match.ts';
import { noteHooks } from './note.ts';

const directory = mkdtempSync(join(tmpdir(), 'davit-test-'));
afterAll(() => {
  rmSync(directory, { recursive: true });
});

let count = 0;

function folders(): [string, string] {
  const dir = join(directory, String((count += 1)));
  const both = [join(dir, 'share'), join(dir, 'etc')] as [string, string];
  for (const folder of both) mkdirSync(folder, { recursive: true });
  return both;
}

const file = (changes: object = {}): object => ({
  version: '1.0.0',
  hook: { path: '/bin/true' },
  when: { always: true },
  stages: ['createRuntime'],
  ...changes,
});
const write = (folder: string, name: string, content: object | string): void => {
  writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
};
const web: HookSubject = {
  command: '/usr/sbin/nginx',
  annotations: { 'example.com/trace': 'yes, please' },
  hasBindMounts: true,
};

/** Whether a hook with these conditions is for `web`. */
async function isFor(when: object): Promise<boolean> {
  const [share, etc] = folders();
  write(share, 'x.json', file({ when }));
  await using hooks = await Hooks.open([share, etc], silentLog);
  expect(hooks.status().problems).toEqual([]);
  return (await hooks.select(web)).length > 0;
}

test.each([
  [{}, false],
  [{ always: true }, true],
  [{ always: false, hasBindMounts: true }, false],
  [{ hasBindMounts: true }, true],
  [{ hasBindMounts: false }, false],
  [{ annotations: { '^example\\.com/': '^yes' } }, true],
  [{ annotations: { '^example\\.com/': '^no' } }, false],
  [{ annotations: { trace: 'yes', other: '.*' } }, false],
  [{ commands: ['/nginx$', 'never'] }, true],
  [{ commands: ['^nginx$'] }, false],
  [{ commands: ['(?i)NGINX'] }, true],
  [{ always: true, commands: ['never'] }, false],
])('%j: %s', async (when, expected) => {
  expect(await isFor(when)).toBe(expected);
});

test('hooks run in the order of their names, and a later folder takes the place of an earlier', async () => {
  const [share, etc] = folders();
  write(share, '20-b.json', file({ hook: { path: '/bin/false' } }));
  write(share, '10-A.json', file({ stages: ['poststop', 'prestart'] }));
  write(share, '10-b.json', file());
  write(etc, '20-b.json', file({ hook: { path: '/bin/true', args: ['true', 'etc'] } }));
  write(etc, 'readme.txt', 'no hook');
  await using hooks = await Hooks.open([share, etc], silentLog);
  expect((await hooks.select(web)).map(({ name, stage, hook }) => [name, stage, hook.args ?? []])).toEqual([
    ['10-A.json', 'poststop', []],
    ['10-A.json', 'createRuntime', []],
    ['10-b.json', 'createRuntime', []],
    ['20-b.json', 'createRuntime', ['true', 'etc']],
  ]);
});

test.each([
  ['no JSON', '{', 'it is not JSON'],
  ['another version', file({ version: '0.1.0' }), 'version: must be "1.0.0"'],
  ['a relative path', file({ hook: { path: 'hook' } }), 'hook.path: must be an absolute path'],
  [
    'a program that is not there',
    file({ hook: { path: '/no/such' } }),
    'its program "/no/such" is not there',
  ],
  ['an unknown stage', file({ stages: ['lunch'] }), 'stages[0]'],
  ['no stages', file({ stages: undefined }), 'stages'],
  ['a bad pattern', file({ when: { commands: ['('] } }), '"(" is not a regular expression'],
  ['a bad name of an annotation', file({ when: { annotations: { '(': '' } } }), '"(" is not a regular'],
])('%s is told of, and costs no other', async (_, content, why) => {
  const [share, etc] = folders();
  write(etc, 'bad.json', content);
  write(etc, 'good.json', file());
  await using hooks = await Hooks.open([share, etc], silentLog);
  expect(hooks.status()).toEqual({
    hooks: ['good.json'],
    problems: [{ file: join(etc, 'bad.json'), problem: expect.stringContaining(why) as string }],
  });
});

test('a hook that was put there just before is found', async () => {
  const [share, etc] = folders();
  await using hooks = await Hooks.open([share, etc], silentLog);
  expect(await hooks.select(web)).toEqual([]);
  write(etc, 'late.json', file());
  expect(await hooks.select(web)).toHaveLength(1);
});

test('no text makes matching slow', async () => {
  const [share, etc] = folders();
  write(share, 'x.json', file({ when: { annotations: { '.*': '(a+)+$' } } }));
  await using hooks = await Hooks.open([share, etc], silentLog);
  const begun = performance.now();
  await hooks.select({ ...web, annotations: { x: `${'a'.repeat(1000)}!` } });
  expect(performance.now() - begun).toBeLessThan(2000);
});

describe('noteHooks()', () => {
  const note = async (annotations: Record<string, string>, command: 'create' | 'start') => {
    const timeline = new Timeline();
    const bundle = mkdtempSync(join(directory, 'noted-'));
    write(bundle, 'config.json', { ociVersion: '1.0.2', annotations });
    (await noteHooks({ timeline }, bundle, command))[Symbol.dispose]();
    return timeline.stages().map(({ name }) => name);
  };
  const annotations = {
    'davit.hooks/createRuntime': '10-a.json\nvendor.com/gpu=0',
    'davit.hooks/createContainer': '20-c.json',
    'davit.hooks/poststart': '30-d.json',
    'davit.hooks/poststop': '40-e.json',
  };

  test('the hooks that run within a command are a stage, by name', async () => {
    expect(await note(annotations, 'create')).toEqual([
      'hooks createRuntime 10-a.json, vendor.com/gpu=0; createContainer 20-c.json',
    ]);
    expect(await note(annotations, 'start')).toEqual(['hooks poststart 30-d.json']);
  });

  test('where there are none, there is no such stage, and neither where nobody can tell', async () => {
    expect(await note({ note: 'davit.hooks/poststart' }, 'start')).toEqual([]);
    using stage = await noteHooks({ timeline: new Timeline() }, join(directory, 'gone'), 'create');
    expect(stage).toBeDefined();
  });
});

describe('withHookNames()', () => {
  const bundle = join(directory, 'bundle');
  mkdirSync(bundle);
  chmodSync(bundle, 0o700);
  write(bundle, 'config.json', {
    annotations: {
      'davit.hooks/createRuntime': '10-a.json\nvendor.com/gpu=0',
      'davit.hooks/createContainer': '20-c.json',
      'davit.hooks/poststart': '30-d.json',
    },
    hooks: { createRuntime: [{ path: '/bin/a' }, { path: '/bin/b' }] },
  });

  test.each([
    ['error running createRuntime hook #1: exit status 1, stdout: , stderr: oops', '"vendor.com/gpu=0"'],
    [
      'error during container init: error running hook #1: error running hook: exit status 1',
      '"vendor.com/gpu=0"',
    ],
    ['error during container init: error running hook #0: x', '"10-a.json" or "20-c.json" or "30-d.json"'],
    ['error executing hook `/bin/a` (exit code: 1)', '"10-a.json"'],
  ])('%s', async (message, name) => {
    const fault = new Fault('internal', `cannot create container "x": ${message}`);
    await expect(withHookNames(bundle, 'create', () => Promise.reject(fault))).rejects.toMatchObject({
      code: 'internal',
      message: `hook ${name} failed: ${fault.message}`,
    });
  });

  test.each(['no space left', 'error running createRuntime hook #7: x', 'error executing hook `/bin/c`'])(
    'anything else stays as it is: %s',
    async (message) => {
      const fault = new Fault('internal', message);
      await expect(withHookNames(bundle, 'create', () => Promise.reject(fault))).rejects.toBe(fault);
    },
  );
});

describe('of hooks whose failure ends no command', () => {
  const bundle = join(directory, 'ended');
  mkdirSync(bundle);
  write(bundle, 'config.json', {
    annotations: {
      'davit.hooks/startContainer': '10-a.json\n20-b.json',
      'davit.hooks/poststop': '30-c.json',
    },
    hooks: { startContainer: [{ path: '/bin/a' }, { path: '/bin/b' }], poststop: [{ path: '/bin/c' }] },
  });
  const log = (text: string): string => {
    write(bundle, '0.log', `2026-01-01T00:00:00.0Z stdout F hello\n${text}`);
    return join(bundle, '0.log');
  };

  test('findFailedHook() names it from what the runtime complained of', async () => {
    const said = 'time="x" level=error msg="error running hook #0: exit status 1"\n';
    expect(await findFailedHook(bundle, 'delete', said)).toBe(
      'hook "30-c.json" failed: error running hook #0: exit status 1',
    );
    expect(await findFailedHook(bundle, 'delete', 'level=warning msg="slow disk"')).toBeUndefined();
    expect(await findFailedHook(join(bundle, 'missing'), 'delete', said)).toBeUndefined();
  });

  test.each([
    [
      '2026-01-01T00:00:00.0Z stderr F error running hook #1: exit status 1\n',
      'hook "20-b.json" failed: error running',
    ],
    [
      '2026-01-01T00:00:00.0Z stderr F error executing hook `/bin/a` (exit code: 1)\n',
      'hook "10-a.json" failed: error exec',
    ],
  ])('findFailedStart() names it from the end of the log: %s', async (text, message) => {
    expect(await findFailedStart(bundle, log(text))).toMatch(message);
  });

  test('findFailedStart() reads no more than the end of an ordinary file', async () => {
    const said = '2026-01-01T00:00:00.0Z stderr F error running hook #1: x\n';
    expect(await findFailedStart(bundle, log(said + 'x'.repeat(5000)))).toBeUndefined();
    symlinkSync(log(said), join(bundle, 'link'));
    expect(await findFailedStart(bundle, join(bundle, 'link'))).toBeUndefined();
    execFileSync('mkfifo', [join(bundle, 'pipe')]);
    expect(await findFailedStart(bundle, join(bundle, 'pipe'))).toBeUndefined();
  });
});
