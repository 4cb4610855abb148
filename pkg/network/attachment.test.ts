import { expect, test } from 'vitest';
import { testCall } from '../base/testing/call.ts';
import { attachPod, checkNetwork, checkPod, collectGarbage, detachPod } from './attachment.ts';
import { FakePlugins, type NotedCall } from './testing/fake-plugins.ts';
import { makeList, makePod } from './testing/pods.ts';

const PLUGINS = [
  { type: 'bridge' },
  { type: 'tuning' },
  { type: 'portmap', capabilities: { portMappings: true } },
];
const LIST = makeList({ plugins: PLUGINS });
const POD = makePod({ portMappings: [{ protocol: 'tcp', containerPort: 80, hostPort: 8080, hostIp: '' }] });

const FIRST = { cniVersion: '1.0.0', ips: [{ address: '10.1.0.5/16' }] };
const SECOND = { ...FIRST, dns: { nameservers: ['10.1.0.1'] } };
const LAST = { ...SECOND, routes: [] };

async function createPlugins() {
  const plugins = await FakePlugins.create('bridge', 'tuning', 'portmap');
  await plugins.answer('ADD bridge', { stdout: JSON.stringify(FIRST) });
  await plugins.answer('ADD tuning', { stdout: JSON.stringify(SECOND) });
  await plugins.answer('ADD portmap', { stdout: JSON.stringify(LAST) });
  return plugins;
}

function options(plugins: FakePlugins) {
  return { binDirs: [plugins.dir], timeoutMs: 10_000 };
}

async function whatRan(plugins: FakePlugins): Promise<string[]> {
  return (await plugins.calls()).map(({ what }) => what);
}

test('attachPod() hands each plugin the result of the one before and returns the last', async () => {
  await using plugins = await createPlugins();
  const result = await attachPod(testCall, options(plugins), LIST, POD);
  expect(result).toEqual({ cniVersion: '1.0.0', ips: ['10.1.0.5'], interfaces: [], raw: LAST });
  const common = { name: 'net', cniVersion: '1.0.0' };
  const runtimeConfig = { portMappings: [{ hostPort: 8080, containerPort: 80, protocol: 'tcp' }] };
  expect((await plugins.calls()).map(({ config }) => config)).toEqual([
    { ...common, type: 'bridge' },
    { ...common, type: 'tuning', prevResult: FIRST },
    { ...common, type: 'portmap', runtimeConfig, prevResult: SECOND },
  ]);
});

test('attachPod() stops at the plugin that fails and cleans up nothing', async () => {
  await using plugins = await createPlugins();
  await plugins.answer('ADD tuning', { exitCode: 1 });
  await expect(attachPod(testCall, options(plugins), LIST, POD)).rejects.toThrow('plugin "tuning"');
  expect(await whatRan(plugins)).toEqual(['ADD bridge', 'ADD tuning']);
});

test('attachPod() runs nothing when a plugin further on does not exist', async () => {
  await using plugins = await createPlugins();
  const list = makeList({ plugins: [...PLUGINS, { type: 'missing' }] });
  await expect(attachPod(testCall, options(plugins), list, POD)).rejects.toThrow(
    'cannot find plugin "missing"',
  );
  expect(await whatRan(plugins)).toEqual([]);
});

test('attachPod() runs nothing for a caller who has left', async () => {
  await using plugins = await createPlugins();
  const call = { ...testCall, signal: AbortSignal.abort() };
  await expect(attachPod(call, options(plugins), LIST, POD)).rejects.toThrow();
  expect(await whatRan(plugins)).toEqual([]);
});

test('detachPod() runs the list backwards with the final result', async () => {
  await using plugins = await createPlugins();
  const previous = { cniVersion: '1.0.0' as const, ips: ['10.1.0.5'], interfaces: [], raw: LAST };
  await detachPod(testCall, options(plugins), { list: LIST, pod: POD, previous });
  expect((await plugins.calls()).map(({ what, config }) => [what, config])).toMatchObject([
    ['DEL portmap', { prevResult: LAST, runtimeConfig: {} }],
    ['DEL tuning', { prevResult: LAST }],
    ['DEL bridge', { prevResult: LAST }],
  ]);
});

test('detachPod() works without a result, and names no namespace that is gone', async () => {
  await using plugins = await createPlugins();
  const pod = { ...POD, netnsPath: '/nowhere/net' };
  await detachPod(testCall, options(plugins), { list: LIST, pod });
  const calls = await plugins.calls();
  expect(calls.map(({ env }) => env['CNI_NETNS'])).toEqual(['', '', '']);
  expect(calls[0]?.config).not.toHaveProperty('prevResult');
});

test('detachPod() stops at the plugin that fails, and goes all the way when called again', async () => {
  await using plugins = await createPlugins();
  await plugins.answer('DEL tuning', { exitCode: 1 });
  await expect(detachPod(testCall, options(plugins), { list: LIST, pod: POD })).rejects.toThrow('"tuning"');
  await plugins.answer('DEL tuning', {});
  await detachPod(testCall, options(plugins), { list: LIST, pod: POD });
  expect(await whatRan(plugins)).toEqual([
    'DEL portmap',
    'DEL tuning',
    'DEL portmap',
    'DEL tuning',
    'DEL bridge',
  ]);
});

test('checkPod() asks every plugin with the final result', async () => {
  await using plugins = await createPlugins();
  const previous = await attachPod(testCall, options(plugins), LIST, POD);
  await checkPod(testCall, options(plugins), { list: LIST, pod: POD, previous });
  expect((await plugins.calls()).slice(3)).toMatchObject([
    { what: 'CHECK bridge', config: { prevResult: LAST } },
    { what: 'CHECK tuning', config: { prevResult: LAST } },
    { what: 'CHECK portmap', config: { prevResult: LAST } },
  ]);
});

test.for([{ disableCheck: true }, { cniVersion: '0.3.1' }])(
  'checkPod() asks nobody given %j',
  async (config) => {
    await using plugins = await createPlugins();
    const list = makeList({ plugins: PLUGINS, ...config });
    const previous = { cniVersion: list.cniVersion, ips: ['10.1.0.5'], interfaces: [], raw: LAST };
    await checkPod(testCall, options(plugins), { list, pod: POD, previous });
    expect(await whatRan(plugins)).toEqual([]);
  },
);

test('checkNetwork() asks the plugins of a version that knows the question, about no pod', async () => {
  await using plugins = await createPlugins();
  await checkNetwork(testCall, options(plugins), makeList({ plugins: PLUGINS, cniVersion: '1.1.0' }));
  const env = { CNI_COMMAND: 'STATUS', CNI_PATH: plugins.dir };
  expect(await plugins.calls()).toEqual([
    { what: 'STATUS bridge', config: { name: 'net', cniVersion: '1.1.0', type: 'bridge' }, env },
    { what: 'STATUS tuning', config: { name: 'net', cniVersion: '1.1.0', type: 'tuning' }, env },
    { what: 'STATUS portmap', config: { name: 'net', cniVersion: '1.1.0', type: 'portmap' }, env },
  ]);
});

test('checkNetwork() asks no plugin of an older version', async () => {
  await using plugins = await createPlugins();
  await checkNetwork(testCall, options(plugins), LIST);
  expect(await whatRan(plugins)).toEqual([]);
});

test('collectGarbage() tells every plugin which pods there are', async () => {
  await using plugins = await createPlugins();
  const list = makeList({ cniVersion: '1.1.0', plugins: PLUGINS });
  await collectGarbage(testCall, options(plugins), list, [POD.id]);
  expect(await whatRan(plugins)).toEqual(['GC bridge', 'GC tuning', 'GC portmap']);
  const attachments = [{ containerID: POD.id, ifname: 'eth0' }];
  const [{ config, env }] = (await plugins.calls()) as [NotedCall];
  expect(config).toEqual({
    name: 'net',
    cniVersion: '1.1.0',
    type: 'bridge',
    'cni.dev/valid-attachments': attachments,
    'cni.dev/attachments': attachments,
  });
  expect(env).toEqual({ CNI_COMMAND: 'GC', CNI_PATH: plugins.dir });
});

test('collectGarbage() goes on after a plugin that fails, and says so', async () => {
  await using plugins = await createPlugins();
  await plugins.answer('GC bridge', { exitCode: 3 });
  const list = makeList({ cniVersion: '1.1.0', plugins: PLUGINS });
  const collected = collectGarbage(testCall, options(plugins), list, []);
  await expect(collected).rejects.toThrow('cannot clean up network "net"');
  expect(await whatRan(plugins)).toEqual(['GC bridge', 'GC tuning', 'GC portmap']);
});

test.each([{ cniVersion: '1.0.0' }, { cniVersion: '1.1.0', disableGC: true }])(
  'collectGarbage() asks nothing where it is not to: %j',
  async (config) => {
    await using plugins = await createPlugins();
    await collectGarbage(testCall, options(plugins), makeList({ ...config, plugins: PLUGINS }), []);
    expect(await whatRan(plugins)).toEqual([]);
  },
);
