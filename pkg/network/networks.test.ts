import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { silentLog, testCall } from '../base/testing/call.ts';
import { Networks, type NetworksOptions } from './networks.ts';
import { FakePlugins } from './testing/fake-plugins.ts';
import { makePod } from './testing/pods.ts';

/** Too long to happen in a test: what is seen is seen without polling. */
const NEVER_MS = 1_000_000;

async function createNode() {
  const root = await mkdtemp(join(tmpdir(), 'davit-test-networks-'));
  const confDir = join(root, 'net.d');
  await mkdir(confDir);
  const plugins = await FakePlugins.create('x', 'y');
  return {
    root,
    confDir,
    plugins,
    open: (options: Partial<NetworksOptions> = {}) =>
      Networks.open({ confDir, binDirs: [plugins.dir], log: silentLog, pollMs: NEVER_MS, ...options }),
    write: (name: string, text: string) => writeFile(join(confDir, name), text),
    [Symbol.asyncDispose]: async () => {
      await plugins[Symbol.asyncDispose]();
      await rm(root, { recursive: true });
    },
  };
}

function listText(name: string, type = 'x', cniVersion = '1.0.0'): string {
  return JSON.stringify({ cniVersion, name, plugins: [{ type }] });
}

test('the network whose file comes first is selected and ready', async () => {
  await using node = await createNode();
  await node.write('20-b.conflist', listText('b'));
  await node.write('10-a.conflist', listText('a'));
  await using networks = await node.open();
  await networks.refresh();
  expect([networks.select().name, networks.status()]).toEqual([
    'a',
    { ready: true, reason: '', message: '' },
  ]);
});

test('a bad file is passed over and named', async () => {
  await using node = await createNode();
  await node.write('10-bad.conflist', '{}');
  await node.write('20-b.conflist', listText('b'));
  await using networks = await node.open();
  expect(networks.select().name).toBe('b');
  expect(networks.status()).toMatchObject({
    ready: true,
    message: expect.stringContaining(join(node.confDir, '10-bad.conflist')) as string,
  });
});

test('without a network nothing can be selected, and the bad files are named', async () => {
  await using node = await createNode();
  await node.write('10-bad.conflist', '{');
  await using networks = await node.open();
  const problem = `cannot find a network configuration in "${node.confDir}": cannot read "${node.confDir}/10-bad.conflist"`;
  expect(() => networks.select()).toThrow(problem);
  expect(networks.status()).toMatchObject({
    ready: false,
    reason: 'NetworkPluginNotReady',
    message: expect.stringContaining(problem) as string,
  });
});

test('a file that is written later is noticed at once', async () => {
  await using node = await createNode();
  await using networks = await node.open();
  await node.write('10-a.conflist', listText('a'));
  await expect.poll(() => networks.select().name).toBe('a');
});

test('a file that is replaced or removed is noticed at once', async () => {
  await using node = await createNode();
  await node.write('10-a.conflist', listText('a'));
  await using networks = await node.open();
  await node.write('.new', listText('other'));
  await rename(join(node.confDir, '.new'), join(node.confDir, '10-a.conflist'));
  await expect.poll(() => networks.select().name).toBe('other');
  await rm(join(node.confDir, '10-a.conflist'));
  await expect.poll(() => networks.status().ready).toBe(false);
});

test('a directory that appears later is found by polling', async () => {
  await using node = await createNode();
  await rm(node.confDir, { recursive: true });
  await using networks = await node.open({ pollMs: 20 });
  await mkdir(node.confDir);
  await node.write('10-a.conflist', listText('a'));
  await expect.poll(() => networks.select().name).toBe('a');
});

test('a directory that is replaced by another is read again, and later changes in it are noticed', async () => {
  await using node = await createNode();
  await node.write('10-a.conflist', listText('a'));
  await using networks = await node.open({ pollMs: 20 });
  await rename(node.confDir, join(node.root, 'old'));
  await mkdir(node.confDir);
  await node.write('10-a.conflist', listText('b'));
  await expect.poll(() => networks.select().name).toBe('b');
  await node.write('05-c.conflist', listText('c'));
  await expect.poll(() => networks.select().name).toBe('c');
});

test('a network whose plugin is not installed is not ready, and becomes so when it is', async () => {
  await using node = await createNode();
  await node.write('10-a.conflist', listText('a', 'z'));
  await using networks = await node.open();
  await networks.refresh();
  expect(networks.status()).toMatchObject({
    ready: false,
    message: expect.stringContaining('cannot find plugin "z"') as string,
  });
  await writeFile(join(node.plugins.dir, 'z'), '');
  await networks.refresh();
  expect(networks.status().ready).toBe(true);
});

test('a network is not ready while its plugin says so, and its pods may try all the same', async () => {
  await using node = await createNode();
  await node.write('10-a.conflist', listText('a', 'x', '1.1.0'));
  await node.plugins.answer('STATUS x', { stdout: '{"code":50,"msg":"no addresses left"}', exitCode: 1 });
  await using networks = await node.open();
  await networks.refresh();
  expect(networks.status()).toMatchObject({
    ready: false,
    message: expect.stringContaining('failed with code 50: "no addresses left"') as string,
  });
  expect(networks.select().name).toBe('a');
});

test('another network is asked about itself when it takes the place of one that is not ready', async () => {
  await using node = await createNode();
  await node.write('20-b.conflist', listText('b', 'missing'));
  await using networks = await node.open();
  await networks.refresh();
  expect(networks.status().ready).toBe(false);
  await node.write('10-a.conflist', listText('a', 'y'));
  await expect.poll(() => networks.status().ready).toBe(true);
});

test('closing does not wait for a plugin that never answers', async () => {
  await using node = await createNode();
  await node.write('10-a.conflist', listText('a', 'x', '1.1.0'));
  await node.plugins.answer('STATUS x', { hangs: true });
  const networks = await node.open();
  await expect.poll(() => node.plugins.calls()).toHaveLength(1);
  await networks[Symbol.asyncDispose]();
  expect(networks.status().ready).toBe(true);
});

test('pods are attached and detached before garbage is collected, or after it, never meanwhile', async () => {
  await using node = await createNode();
  await node.write('10-a.conflist', listText('a', 'x', '1.1.0'));
  await using networks = await node.open();
  const [list, pod] = [networks.select(), makePod()];
  const answer = { cniVersion: '1.1.0', ips: [{ address: '10.1.0.5/16' }] };
  await node.plugins.answer('ADD x', { stdout: JSON.stringify(answer) });
  const began = Promise.withResolvers<undefined>();
  const proceed = Promise.withResolvers<undefined>();
  const collecting = networks.collectGarbage(testCall, list, async () => {
    began.resolve(undefined);
    await proceed.promise;
    return [pod.id];
  });
  await began.promise;
  const others = [networks.attach(testCall, list, makePod()), networks.detach(testCall, list, makePod())];
  proceed.resolve(undefined);
  await Promise.all([collecting, ...others]);
  const ran = (await node.plugins.calls()).map(({ what }) => what).filter((what) => what !== 'STATUS x');
  expect([ran[0], ran.slice(1).toSorted()]).toEqual(['GC x', ['ADD x', 'DEL x']]);
});
