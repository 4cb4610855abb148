import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Fault } from '../base/fault.ts';
import { testCall } from '../base/testing/call.ts';
import { Timeline } from '../base/timeline.ts';
import { identifyNow, isAlive } from '../sys/process-identity.ts';
import { findPlugin, runPlugin, type ObservePlugin, type PluginCall } from './plugin.ts';
import { FakePlugins } from './testing/fake-plugins.ts';
import { makeList, makePod } from './testing/pods.ts';

const PLUGIN = { type: 'bridge', bridge: 'b0' };
const LIST = makeList({ plugins: [PLUGIN] });
const POD = makePod();
const ADD: PluginCall = { command: 'ADD', list: LIST, plugin: PLUGIN, pod: POD };

function options(plugins: FakePlugins) {
  return { binDirs: [plugins.dir], timeoutMs: 10_000 };
}

async function faultOf(promise: Promise<unknown>): Promise<Fault> {
  return await promise.then(
    () => expect.fail('it succeeded'),
    (err: unknown) => err as Fault,
  );
}

test('runPlugin() hands over configuration and parameters and returns the answer', async () => {
  await using plugins = await FakePlugins.create('bridge');
  await plugins.answer('ADD bridge', { stdout: '{"ips":[]}', stderr: 'a warning' });
  expect(await runPlugin(testCall, options(plugins), { ...ADD, previous: { ips: [] } })).toBe('{"ips":[]}');
  expect(await plugins.calls()).toMatchObject([
    {
      what: 'ADD bridge',
      config: { name: 'net', cniVersion: '1.0.0', type: 'bridge', bridge: 'b0', prevResult: { ips: [] } },
      env: { CNI_CONTAINERID: POD.id, CNI_PATH: plugins.dir },
    },
  ]);
});

test('runPlugin() notes its stage on the timeline', async () => {
  await using plugins = await FakePlugins.create('bridge');
  const timeline = new Timeline();
  await runPlugin({ ...testCall, timeline }, options(plugins), ADD);
  expect(timeline.stages()).toMatchObject([{ name: 'cni add bridge', tookMs: expect.any(Number) as number }]);
});

test('a failing plugin is quoted with the error it gave and what it wrote', async () => {
  await using plugins = await FakePlugins.create('bridge');
  const error = { cniVersion: '1.0.0', code: 7, msg: 'bad config', details: 'no such "range"' };
  await plugins.answer('ADD bridge', {
    stdout: JSON.stringify(error),
    stderr: 'line 1\nline 2\n',
    exitCode: 1,
  });
  const fault = await faultOf(runPlugin(testCall, options(plugins), ADD));
  expect([fault.code, fault.message]).toEqual([
    'internal',
    `cannot add pod "shop/web" to network "net" ("/etc/cni/net.d/10-net.conflist"): plugin "bridge" ("${plugins.dir}/bridge") ` +
      'failed with code 7: "bad config", "no such \\"range\\""; it wrote: "line 1\\nline 2"',
  ]);
  expect(fault.detail).toMatchObject({ command: 'ADD', plugin: 'bridge', network: 'net', cniCode: 7 });
});

test('a plugin that crashes is quoted with its exit code', async () => {
  await using plugins = await FakePlugins.create('bridge');
  await plugins.answer('ADD bridge', { stderr: 'panic: oh', exitCode: 2 });
  const fault = await faultOf(runPlugin(testCall, options(plugins), ADD));
  expect(fault.message).toMatch(/failed with exit code 2; it wrote: "panic: oh"$/);
});

test('a plugin that wants to be tried again is unavailable', async () => {
  await using plugins = await FakePlugins.create('bridge');
  await plugins.answer('ADD bridge', { stdout: '{"code":11,"msg":"later"}', exitCode: 1 });
  expect(await faultOf(runPlugin(testCall, options(plugins), ADD))).toMatchObject({ code: 'unavailable' });
});

test('a plugin that does not know the container on DEL has nothing left to do', async () => {
  await using plugins = await FakePlugins.create('bridge');
  await plugins.answer('DEL bridge', { stdout: '{"code":3,"msg":"unknown container"}', exitCode: 1 });
  expect(await runPlugin(testCall, options(plugins), { ...ADD, command: 'DEL' })).toBe('');
});

test('a plugin that never answers is killed when its time is up', async () => {
  await using plugins = await FakePlugins.create('bridge');
  await plugins.answer('ADD bridge', { hangs: true });
  const fault = await faultOf(runPlugin(testCall, { binDirs: [plugins.dir], timeoutMs: 200 }, ADD));
  expect(fault).toMatchObject({
    code: 'deadline_exceeded',
    message: expect.stringMatching(/did not answer within 0\.2 s and was killed$/) as string,
  });
});

test('a plugin that never answers is killed with what it has started', async () => {
  await using plugins = await FakePlugins.create();
  const script = '#!/bin/sh\nsleep 1000 & echo $! > "$0.new"; mv "$0.new" "$0.child"; wait\n';
  await writeFile(join(plugins.dir, 'bridge'), script, { mode: 0o755 });
  const caller = new AbortController();
  const running = faultOf(runPlugin({ ...testCall, signal: caller.signal }, options(plugins), ADD));
  const file = join(plugins.dir, 'bridge.child');
  await expect.poll(() => existsSync(file)).toBe(true);
  const child = identifyNow(Number(readFileSync(file, 'utf8')))!;
  caller.abort(new Error('gone'));
  await running;
  await expect.poll(() => isAlive(child)).toBe(false);
});

test('a plugin is given up when the caller leaves', async () => {
  await using plugins = await FakePlugins.create('bridge');
  await plugins.answer('ADD bridge', { hangs: true });
  const fault = await faultOf(runPlugin({ ...testCall, signal: AbortSignal.abort() }, options(plugins), ADD));
  expect(fault).toMatchObject({ code: 'cancelled' });
});

test('a plugin that is not there is unavailable, and the directories are named', async () => {
  await using plugins = await FakePlugins.create();
  const fault = await faultOf(runPlugin(testCall, options(plugins), ADD));
  expect([fault.code, fault.message]).toEqual([
    'unavailable',
    `cannot find plugin "bridge" of network "net" ("/etc/cni/net.d/10-net.conflist") in "${plugins.dir}"`,
  ]);
});

test('findPlugin() takes the first directory that has the program, and no directory for one', async () => {
  await using first = await FakePlugins.create();
  await using second = await FakePlugins.create('bridge');
  await mkdir(join(first.dir, 'bridge'));
  expect(await findPlugin([first.dir, second.dir], 'bridge')).toBe(join(second.dir, 'bridge'));
});

test('every run is told of, with how it ended', async () => {
  await using plugins = await FakePlugins.create('bridge');
  const runs: unknown[] = [];
  const observe = (...[run, outcome]: Parameters<ObservePlugin>) => runs.push([run, outcome]);
  await runPlugin(testCall, { ...options(plugins), observe }, ADD);
  await plugins.answer('ADD bridge', { stdout: '{"code":11,"msg":"later"}', exitCode: 1 });
  await faultOf(runPlugin(testCall, { ...options(plugins), observe }, ADD));
  const run = { plugin: 'bridge', command: 'ADD' };
  expect(runs).toEqual([
    [run, 'ok'],
    [run, 'unavailable'],
  ]);
});
