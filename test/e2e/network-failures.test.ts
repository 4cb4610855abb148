// Networks that do not work: what the kubelet is told, and that nothing is left of the try.

import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CONFLIST, writeConflist, writeNetworkConfig } from './harness/config.ts';
import { eventually } from './harness/eventually.ts';
import { podConfig, TestPod } from './harness/pod.ts';
import { refusalOf } from './harness/refusal.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode({ config: '[cni]\ntimeout_seconds = 2\n' });

/** Waits until the daemon has read the configuration, as it watches the directory. */
async function waitForNetwork(expected: { ready: boolean; message?: string }): Promise<void> {
  await eventually(`the network is ready: ${expected.ready}`, async () => {
    const { status } = await node.client.status();
    const network = status?.conditions.find(({ type }) => type === 'NetworkReady');
    return network?.status === expected.ready && network.message.includes(expected.message ?? '');
  });
}

/** The network of the node with a plugin more at its end. */
function chainWith(plugin: object): string {
  const { name, bridge, network, ipamDir } = node.place;
  const ipam = { type: 'host-local', dataDir: ipamDir, ranges: [[{ subnet: `${network}.0/24` }]] };
  const plugins = [{ type: 'bridge', bridge, isGateway: true, ipMasq: true, ipam }, plugin];
  return JSON.stringify({ cniVersion: '1.0.0', name, plugins });
}

function writePlugin(name: string, script: string): void {
  writeFileSync(join(node.place.pluginDir, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

const VERSIONS = `{"cniVersion":"1.0.0","supportedVersions":["0.4.0","1.0.0"]}`;

function refuseRun(): ReturnType<typeof refusalOf> {
  return refusalOf(node.client.runPodSandbox({ config: podConfig(node) }));
}

beforeEach(async () => {
  rmSync(join(node.place.cniDir, CONFLIST));
  await waitForNetwork({ ready: false });
});

afterEach(async () => {
  for (const file of readdirSync(node.place.cniDir)) rmSync(join(node.place.cniDir, file));
  for (const file of readdirSync(node.place.pluginDir)) rmSync(join(node.place.pluginDir, file));
  await waitForNetwork({ ready: false });
  writeNetworkConfig(node.place);
  await waitForNetwork({ ready: true });
});

test('without a network configuration the network is not ready, and a pod is refused with the directory', async () => {
  await waitForNetwork({ ready: false });
  expect(await refuseRun()).toEqual({
    code: 'UNAVAILABLE',
    message: `cannot find a network configuration in "${node.place.cniDir}"`,
  });
});

test('a broken configuration is told by its file, in the status and to who wants a pod', async () => {
  writeConflist(node.place, '10-broken.conflist', '{ "cniVersion": "1.0.0", ');
  await waitForNetwork({ ready: false, message: '10-broken.conflist' });
  const { code, message } = await refuseRun();
  expect(code).toBe('UNAVAILABLE');
  expect(message).toContain('10-broken.conflist');
});

test('a pod on the network of the node needs no network configuration', async () => {
  await waitForNetwork({ ready: false });
  const pod = await TestPod.run(node, { namespaces: { network: 2 } });
  expect((await pod.status()).state).toBe(0);
});

test('a plugin that is not installed is told by its name and where it was looked for', async () => {
  writeConflist(node.place, '10-missing.conflist', chainWith({ type: 'e2e-missing' }));
  await waitForNetwork({ ready: false, message: 'e2e-missing' });
  const { code, message } = await refuseRun();
  expect(code).toBe('UNAVAILABLE');
  expect(message).toContain('"e2e-missing"');
  expect(message).toContain(node.place.pluginDir);
});

test('a plugin that refuses is told with its own words, and what came before it is undone', async () => {
  writePlugin(
    'e2e-refuses',
    `[ "$CNI_COMMAND" = VERSION ] && echo '${VERSIONS}' && exit 0
[ "$CNI_COMMAND" = ADD ] || exit 0
echo '{"cniVersion":"1.0.0","code":11,"msg":"no more room","details":"try tomorrow"}'; exit 1`,
  );
  writeConflist(node.place, '10-refuses.conflist', chainWith({ type: 'e2e-refuses' }));
  await waitForNetwork({ ready: true });
  const { code, message } = await refuseRun();
  expect(message).toContain('"e2e-refuses"');
  expect(message).toContain('no more room');
  expect(message).toContain('try tomorrow');
  expect(code).toBe('UNAVAILABLE');
});

test('a plugin that dies without a word is told with what it wrote to its standard error', async () => {
  writePlugin(
    'e2e-dies',
    `[ "$CNI_COMMAND" = VERSION ] && echo '${VERSIONS}' && exit 0
[ "$CNI_COMMAND" = ADD ] || exit 0
echo 'the cable is out' >&2; exit 3`,
  );
  writeConflist(node.place, '10-dies.conflist', chainWith({ type: 'e2e-dies' }));
  await waitForNetwork({ ready: true });
  expect((await refuseRun()).message).toContain('the cable is out');
});

test('a plugin that keeps silent is given up at its deadline, and killed', async () => {
  writePlugin(
    'e2e-sleeps',
    `[ "$CNI_COMMAND" = VERSION ] && echo '${VERSIONS}' && exit 0
[ "$CNI_COMMAND" = ADD ] || exit 0
exec sleep 1000`,
  );
  writeConflist(node.place, '10-sleeps.conflist', chainWith({ type: 'e2e-sleeps' }));
  await waitForNetwork({ ready: true });
  const { code, message } = await refuseRun();
  expect(code).toBe('DEADLINE_EXCEEDED');
  expect(message).toContain('"e2e-sleeps"');
});

test('a pod is detached by the configuration it was attached with, though another one holds now', async () => {
  writeConflist(
    node.place,
    '10-first.conflist',
    chainWith({ type: 'portmap', capabilities: { portMappings: true } }),
  );
  await waitForNetwork({ ready: true });
  const pod = await TestPod.run(node);
  rmSync(join(node.place.cniDir, '10-first.conflist'));
  writeConflist(node.place, '20-broken.conflist', 'nonsense');
  await waitForNetwork({ ready: false });
  await pod.remove();
  expect((await node.client.listPodSandbox()).items).toEqual([]);
});

test('what could not be undone when a pod failed is undone when the same pod is asked for again', async () => {
  writePlugin(
    'e2e-stuck',
    `[ "$CNI_COMMAND" = VERSION ] && echo '${VERSIONS}' && exit 0
[ -e ${node.place.dir}/stuck ] || { [ "$CNI_COMMAND" = ADD ] && echo '{"cniVersion":"1.0.0","ips":[{"address":"10.0.0.9/24"}]}'; exit 0; }
echo "stuck at $CNI_COMMAND" >&2; exit 1`,
  );
  writeFileSync(join(node.place.dir, 'stuck'), '');
  writeConflist(node.place, '10-stuck.conflist', chainWith({ type: 'e2e-stuck' }));
  await waitForNetwork({ ready: true });
  const config = podConfig(node);
  expect((await refusalOf(node.client.runPodSandbox({ config }))).message).toContain('stuck at ADD');
  rmSync(join(node.place.dir, 'stuck'));
  const { podSandboxId } = await node.client.runPodSandbox({ config });
  expect((await node.client.listPodSandbox()).items.map(({ id }) => id)).toEqual([podSandboxId]);
  await node.removeAllPods(); // while the plugin is there
});
