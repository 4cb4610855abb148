// hooks.d: programs of the operator that the runtime runs in the life of a container.

import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { eventually } from './harness/eventually.ts';
import { podConfig, TestPod } from './harness/pod.ts';
import { refusalOf } from './harness/refusal.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode({
  config: ({ dir }) => {
    mkdirSync(join(dir, 'hooks.d'));
    return `[hooks]\ndirs = ["${dir}/hooks-missing", "${dir}/hooks.d"]\n`;
  },
});

afterEach(() => {
  rmSync(join(node.place.dir, 'hooks.d'), { recursive: true });
  mkdirSync(join(node.place.dir, 'hooks.d'));
  rmSync(traceFile(), { force: true });
});

const traceFile = (): string => join(node.place.dir, 'trace');

/** A hook that notes its name, and which container it was run for. */
function writeHook(name: string, when: object, stages: readonly string[]): void {
  const program = join(node.place.dir, `program-${name}`);
  writeFileSync(program, `#!/bin/sh\nread -r state\necho "${name} $1 $state" >> ${traceFile()}\n`);
  chmodSync(program, 0o755);
  const hook = { path: program, args: ['hook', 'argument'] };
  writeFile(name, { version: '1.0.0', hook, when, stages });
}

function writeFile(name: string, content: object): void {
  writeFileSync(join(node.place.dir, 'hooks.d', `${name}.json`), JSON.stringify(content));
}

/** `first argument`, for the container alone. */
function trace(id: string): string[] {
  const lines = readFileSync(traceFile(), 'utf8').trimEnd().split('\n');
  return lines.filter((line) => line.includes(id)).map((line) => line.split(' ').slice(0, 2).join(' '));
}

test('hooks run at their stages in the order of their names', async () => {
  writeHook('20-second', { always: true }, ['createRuntime']);
  writeHook('10-first', { always: true }, ['prestart', 'poststop']);
  writeHook('30-never', { always: false }, ['createRuntime']);
  const pod = await TestPod.run(node);
  const container = await pod.start({ command: ['true'] });
  expect(trace(container.id)).toEqual(['10-first argument', '20-second argument']);
  await container.waitForExit();
  await container.remove();
  expect(trace(container.id)).toEqual(['10-first argument', '20-second argument', '10-first argument']);
});

test('a hook is for the containers that its conditions name', async () => {
  writeHook('by-annotation', { annotations: { '^example\\.com/trace$': '^yes$' } }, ['createRuntime']);
  writeHook('by-command', { commands: ['/busybox$', '^sh$'] }, ['createRuntime']);
  writeHook('by-mount', { hasBindMounts: true }, ['createRuntime']);
  const config = { ...podConfig(node), annotations: { 'example.com/trace': 'yes' } };
  const traced = await (await TestPod.run(node, { config })).create({ command: ['true'] });
  const pod = await TestPod.run(node);
  const shell = await pod.create({ name: 'shell', command: ['sh'] });
  const mounts = [{ hostPath: node.place.logDir, containerPath: '/data' }];
  const mounted = await pod.create({ name: 'mounted', command: ['true'], config: { mounts } });
  expect(trace(traced.id)).toEqual(['by-annotation argument']);
  expect(trace(shell.id)).toEqual(['by-command argument']);
  expect(trace(mounted.id)).toEqual(['by-mount argument']);
});

test.each(['runc', 'crun'])(
  'a hook that fails with %s is told by its name, and nothing is left',
  async (handler) => {
    writeHook('10-good', { always: true }, ['createRuntime']);
    writeFailing('20-bad', 'createRuntime');
    const pod = await TestPod.run(node, { handler });
    const { code, message } = await refusalOf(pod.create());
    expect({ code, message }).toEqual({
      code: 'INTERNAL',
      message: expect.stringMatching(/^hook "20-bad.json" failed: cannot create container /) as string,
    });
  },
);

test('a hook that fails when the container starts is told by its name', async () => {
  writeFailing('30-late', 'poststart');
  const pod = await TestPod.run(node);
  const { message } = await refusalOf(pod.start({ command: ['sleep', '1000'] }));
  expect(message).toMatch(/^hook "30-late.json" failed: cannot (create|start) container /); // runc 1.1 is early
});

function writeFailing(name: string, stage: string): void {
  const hook = { path: '/bin/false' };
  writeFile(name, { version: '1.0.0', hook, when: { always: true }, stages: [stage] });
}

test.each(['runc', 'crun'])(
  'a hook that fails with %s in place of the program is told in the status of the container',
  async (handler) => {
    writeFailing('40-inside', 'startContainer');
    const pod = await TestPod.run(node, { handler });
    const container = await pod.start({ command: ['echo', 'ran'] });
    expect(await container.waitForExit()).toMatchObject({
      exitCode: 1,
      reason: 'Error',
      message: expect.stringMatching(/^hook "40-inside.json" failed: error /) as string,
    });
    expect(container.logText('stdout')).toBe('');
  },
);

/** crun says nothing of it. */
test('a hook that fails when nothing can be done about it is told in the log', async () => {
  writeFailing('50-after', 'poststop');
  const pod = await TestPod.run(node);
  const container = await pod.start({ command: ['true'] });
  await container.waitForExit();
  await container.remove();
  const lines = readFileSync(node.place.daemonLog, 'utf8').split('\n');
  const told = lines.filter((line) => line.includes(container.id) && line.includes('"msg":"hook failed"'));
  expect(told).toEqual([expect.stringContaining('hook \\"50-after.json\\" failed: ') as string]);
});

test('a file that cannot be used is shown in Status, and costs no other', async () => {
  writeFile('bad', { version: '1.0.0', hook: { path: '/no/such' }, when: { always: true }, stages: [] });
  writeHook('good', { always: true }, ['createRuntime']);
  const status = async () => {
    const { info } = await node.client.status({ verbose: true });
    return JSON.parse(info['hooks'] ?? '') as {
      hooks: string[];
      problems: { file: string; problem: string }[];
    };
  };
  await eventually('both are seen', async () => {
    const { hooks, problems } = await status();
    return hooks.length === 1 && problems.length === 1;
  });
  expect((await status()).problems[0]?.problem).toBe('its program "/no/such" is not there');
  const pod = await TestPod.run(node);
  const container = await pod.create();
  expect(trace(container.id)).toEqual(['good argument']);
});
