// The packaged plugins on the real kernel. What is "the host" to them is a network namespace of this test, so
// that bridges, rules and addresses meet nobody else's. Needs root and the package containernetworking-plugins.

import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { silentLog, testCall } from '../base/testing/call.ts';
import { exec } from '../sys/exec.ts';
import { inNetworkNamespace, pinNamespaces, unpinNamespaces } from '../sys/namespace.ts';
import { defaultBridgeConflist } from './default-conflist.ts';
import { Networks } from './networks.ts';
import type { PodAttachment } from './pod-attachment.ts';
import { makePod } from './testing/pods.ts';

const PLUGIN_DIR = '/usr/lib/cni';

interface NodeOptions {
  readonly ipMasq?: boolean;
  readonly dualStack?: boolean;
  /** Plugins after the usual ones. */
  readonly more?: readonly object[];
}

/** A host with a network, and the namespace of one pod. */
async function createNode(options: NodeOptions = {}) {
  const root = await mkdtemp(join(tmpdir(), 'davit-test-cni-'));
  const [hostDir, podDir, binDir] = [join(root, 'host'), join(root, 'pod'), join(root, 'bin')];
  pinNamespaces({ dir: hostDir, types: ['net'] });
  pinNamespaces({ dir: podDir, types: ['net'] });
  await installPlugins(binDir, join(hostDir, 'net'));
  const suffix = randomBytes(4).toString('hex');
  const network = { name: `davit-test-${suffix}`, bridge: `dvt${suffix}`, dataDir: join(root, 'leases') };
  await writeFile(join(root, '10-test.conflist'), conflistText(network, options));
  const networks = await Networks.open({ confDir: root, binDirs: [binDir], log: silentLog });
  const onHost = async (file: string, ...args: string[]) =>
    (await exec(testCall, { file: '/usr/bin/nsenter', args: [`--net=${hostDir}/net`, file, ...args] }))
      .stdout;
  return {
    binDir,
    networks,
    netnsPath: join(podDir, 'net'),
    list: networks.select(),
    onHost,
    unpin: () => {
      unpinNamespaces(podDir);
    },
    /** Of the pod. */
    interfaces: () => inNetworkNamespace(join(podDir, 'net'), () => networkInterfaces()),
    /** Addresses given out. */
    leases: async () => {
      const files = await readdir(join(network.dataDir, network.name)).catch(() => []);
      return files.filter((file) => /^[\d.]+$|:/.test(file));
    },
    /** Host ends of the pods' cables. */
    ports: async () =>
      JSON.parse(await onHost('/usr/sbin/ip', '-j', 'link', 'show', 'type', 'veth')) as { ifname: string }[],
    /** Rules that name this network or one of its addresses. */
    rules: async () => {
      const tables = await onHost('/usr/sbin/iptables-save', '-t', 'nat');
      return tables.split('\n').filter((line) => line.includes(network.name) || line.includes('10.244.7.'));
    },
    [Symbol.asyncDispose]: async () => {
      await networks[Symbol.asyncDispose]();
      unpinNamespaces(podDir);
      unpinNamespaces(hostDir);
      await rm(root, { recursive: true });
    },
  };
}

/** Each plugin runs in the namespace that is the host here. */
async function installPlugins(binDir: string, netns: string): Promise<void> {
  await mkdir(binDir);
  for (const type of ['bridge', 'host-local', 'portmap', 'bandwidth']) {
    const script = `#!/bin/sh\nexec /usr/bin/nsenter --net=${netns} ${PLUGIN_DIR}/${type}\n`;
    await writeFile(join(binDir, type), script, { mode: 0o755 });
  }
}

function conflistText(
  network: { name: string; bridge: string; dataDir: string },
  { ipMasq = false, dualStack = false, more = [] }: NodeOptions,
): string {
  const second = dualStack ? { secondSubnet: 'fd88:7::/64' } : {};
  const conflist = defaultBridgeConflist({ ...network, subnet: '10.244.7.0/24', ...second, ipMasq });
  const { plugins } = conflist as { plugins: object[] };
  return JSON.stringify({ ...conflist, plugins: [...plugins, ...more] });
}

type TestNode = Awaited<ReturnType<typeof createNode>>;

function podOf(node: TestNode, changes: Partial<PodAttachment> = {}): PodAttachment {
  return makePod({ netnsPath: node.netnsPath, ...changes });
}

const WEB_PORT = { protocol: 'tcp', containerPort: 80, hostPort: 8080, hostIp: '' } as const;

async function remains(node: TestNode) {
  return { leases: await node.leases(), ports: await node.ports(), rules: await node.rules() };
}

const NOTHING = { leases: [], ports: [], rules: [] };

test('a pod gets its address, and nothing of it is left afterwards', async () => {
  await using node = await createNode();
  const pod = podOf(node);
  const result = await node.networks.attach(testCall, node.list, pod);
  expect(result.ips).toEqual(['10.244.7.2']);
  expect(node.interfaces()['eth0']).toContainEqual(
    expect.objectContaining({ address: '10.244.7.2', netmask: '255.255.255.0' }),
  );
  await node.networks.check(testCall, node.list, pod, result);
  await node.networks.detach(testCall, node.list, pod, result);
  expect(await remains(node)).toEqual(NOTHING);
  expect(node.interfaces()).not.toHaveProperty('eth0');
});

test('a dual-stack pod gets an address of each family', async () => {
  await using node = await createNode({ dualStack: true });
  const pod = podOf(node);
  const result = await node.networks.attach(testCall, node.list, pod);
  expect(result.ips).toEqual(['10.244.7.2', 'fd88:7::2']);
  expect(node.interfaces()['eth0']?.map(({ address }) => address)).toEqual(
    expect.arrayContaining(result.ips),
  );
  await node.networks.detach(testCall, node.list, pod, result);
  expect(await remains(node)).toEqual(NOTHING);
});

test('a port of the host leads to the pod, and its rules and those of masquerading go with it', async () => {
  await using node = await createNode({ ipMasq: true });
  const pod = podOf(node, { portMappings: [WEB_PORT] });
  const result = await node.networks.attach(testCall, node.list, pod);
  const server = createServer((socket) => socket.end('hello'));
  await using _closed = server;
  inNetworkNamespace(node.netnsPath, () => {
    server.listen(WEB_PORT.containerPort);
  });
  const script = `require('net').connect(${WEB_PORT.hostPort}, '10.244.7.1').pipe(process.stdout)`;
  expect(await node.onHost(process.execPath, '-e', script)).toBe('hello');
  await node.networks.detach(testCall, node.list, pod, result);
  expect(await remains(node)).toEqual(NOTHING);
});

test('the limits of the pod reach the plugin that limits, and go with the pod', async () => {
  await using node = await createNode({ more: [{ type: 'bandwidth', capabilities: { bandwidth: true } }] });
  const pod = podOf(node, { bandwidth: { ingressRate: 8_000_000, egressRate: 16_000_000 } });
  const result = await node.networks.attach(testCall, node.list, pod);
  const [port] = await node.ports();
  const limit = await node.onHost('/usr/sbin/tc', 'qdisc', 'show', 'dev', String(port?.ifname), 'root');
  expect(limit).toContain('rate 8Mbit');
  await node.networks.detach(testCall, node.list, pod, result);
  expect(await node.onHost('/usr/sbin/ip', '-j', 'link', 'show', 'type', 'ifb')).not.toContain('bwp');
  expect(await remains(node)).toEqual(NOTHING);
});

test('check() notices that the interface is gone', async () => {
  await using node = await createNode();
  const pod = podOf(node);
  const result = await node.networks.attach(testCall, node.list, pod);
  const [port] = await node.ports();
  await node.onHost('/usr/sbin/ip', 'link', 'del', String(port?.ifname));
  await expect(node.networks.check(testCall, node.list, pod, result)).rejects.toThrow('plugin "bridge"');
  await node.networks.detach(testCall, node.list, pod, result);
  expect(await remains(node)).toEqual(NOTHING);
});

test('detach() may be repeated, and come before any attach()', async () => {
  await using node = await createNode();
  const pod = podOf(node);
  await node.networks.detach(testCall, node.list, pod);
  const result = await node.networks.attach(testCall, node.list, pod);
  await node.networks.detach(testCall, node.list, pod, result);
  await node.networks.detach(testCall, node.list, pod, result);
  await node.networks.detach(testCall, node.list, pod);
  expect(await remains(node)).toEqual(NOTHING);
});

test('detach() gives the address back when the namespace is gone', async () => {
  await using node = await createNode();
  const pod = podOf(node, { portMappings: [WEB_PORT] });
  const result = await node.networks.attach(testCall, node.list, pod);
  node.unpin();
  await node.networks.detach(testCall, node.list, pod, result);
  expect(await node.leases()).toEqual([]);
  expect(await node.rules()).toEqual([]);
});

test('detach() without a namespace or a result gives the address back, as after a reboot', async () => {
  await using node = await createNode();
  const pod = podOf(node);
  await node.networks.attach(testCall, node.list, pod);
  const { netnsPath: _, ...rest } = pod;
  await node.networks.detach(testCall, node.list, rest);
  expect(await node.leases()).toEqual([]);
});

test('detach() after an attach() that failed half way gives the address back', async () => {
  await using node = await createNode({ more: [{ type: 'broken' }] });
  const script = '#!/bin/sh\n[ "$CNI_COMMAND" = DEL ] || { echo oh dear >&2; exit 1; }\n';
  await writeFile(join(node.binDir, 'broken'), script, { mode: 0o755 });
  const pod = podOf(node);
  const fault = await node.networks.attach(testCall, node.list, pod).catch((err: unknown) => err);
  expect(fault).toMatchObject({ code: 'internal', message: expect.stringContaining('oh dear') as string });
  expect(await node.leases()).toEqual(['10.244.7.2']);
  await node.networks.detach(testCall, node.list, pod);
  expect(await remains(node)).toEqual(NOTHING);
});

test('a plugin that refuses says why, with the names of plugin, network and file', async () => {
  await using node = await createNode();
  const pod = podOf(node);
  const result = await node.networks.attach(testCall, node.list, pod);
  const second = podOf(node, { id: makePod().id });
  await expect(node.networks.attach(testCall, node.list, second)).rejects.toThrow(
    /^cannot add pod "shop\/web" to network "davit-test-.*10-test\.conflist"\): plugin "bridge" \(".*\/bin\/bridge"\) failed with code 999: .*already exists/,
  );
  await node.networks.detach(testCall, node.list, second);
  await node.networks.detach(testCall, node.list, pod, result);
  expect(await remains(node)).toEqual(NOTHING);
});
