// The network of pods: real plugins, a real bridge, real packets.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isIPv4, isIPv6 } from 'node:net';
import { expect, test } from 'vitest';
import { Protocol } from '../../api/cri/generated/types.ts';
import type { TestContainer } from './harness/container.ts';
import { ipv6Prefix } from './harness/config.ts';
import { eventually } from './harness/eventually.ts';
import { TestPod } from './harness/pod.ts';
import { freePort } from './harness/registry.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode();

const PAGE = 'hello from a pod\n';

function startWebServer(pod: TestPod): Promise<TestContainer> {
  return pod.start({ name: 'web', command: ['httpd', '-f', '-p', '80', '-h', '/www'] });
}

/** The server needs a moment until it listens. */
function get(url: string): Promise<string> {
  return eventually(`${url} answers`, async () => {
    const answer = await fetch(url, { headers: { Connection: 'close' } }).catch(() => undefined);
    return answer?.ok === true ? await answer.text() : undefined;
  });
}

function leases(): string[] {
  return readdirSync(join(node.place.ipamDir, node.place.name)).filter((name) => /^[0-9a-f]+[.:]/.test(name));
}

test('the status of a pod tells its addresses, of both families', async () => {
  const pod = await TestPod.run(node);
  const { network } = await pod.status();
  expect(isIPv4(network?.ip ?? '')).toBe(true);
  expect(network?.ip).toContain(`${node.place.network}.`);
  expect(network?.additionalIps).toEqual([{ ip: expect.stringContaining(ipv6Prefix(node.place)) as string }]);
});

test('a web server in a pod answers the node on both addresses', async () => {
  const pod = await TestPod.run(node);
  await startWebServer(pod);
  const { network } = await pod.status();
  expect(await get(`http://${network?.ip ?? ''}/`)).toBe(PAGE);
  const second = network?.additionalIps[0]?.ip ?? '';
  expect(isIPv6(second)).toBe(true);
  expect(await get(`http://[${second}]/`)).toBe(PAGE);
});

test('a pod reaches another pod, and its own containers over localhost', async () => {
  const [server, client] = [await TestPod.run(node), await TestPod.run(node)];
  await startWebServer(server);
  const url = `http://${await server.ip()}/`;
  await get(url);
  expect(await client.output(['wget', '-qO-', url])).toBe(PAGE);
  expect(await server.output(['wget', '-qO-', 'http://127.0.0.1/'])).toBe(PAGE);
});

test('a port of the node leads to the pod, for as long as the pod is there', async () => {
  const hostPort = await freePort();
  const portMappings = [{ protocol: Protocol.TCP, containerPort: 80, hostPort }];
  const pod = await TestPod.run(node, { config: { portMappings } });
  await startWebServer(pod);
  expect(await get(`http://127.0.0.1:${hostPort}/`)).toBe(PAGE);
  await pod.stop();
  await expect(fetch(`http://127.0.0.1:${hostPort}/`)).rejects.toThrow('fetch failed');
});

test('containers have no other interfaces than the loopback and that of the pod', async () => {
  const pod = await TestPod.run(node);
  const interfaces = await pod.output(['ls', '/sys/class/net']);
  expect(interfaces).toBe('eth0\nlo\n');
  expect(await pod.output(['cat', '/sys/class/net/lo/operstate'])).toBe('unknown\n'); // which is up, for lo
  expect(await pod.output(['ping', '-c', '1', '-q', '127.0.0.1'])).toContain('1 packets received');
});

test('stopping a pod gives its addresses back, before it is removed', async () => {
  const pod = await TestPod.run(node);
  expect(leases()).toHaveLength(2);
  await pod.stop();
  expect(leases()).toEqual([]);
  expect((await pod.status()).network?.ip).toBe('');
});

test('pods never share an address, also when they are run at the same time', async () => {
  const pods = await Promise.all(Array.from({ length: 5 }, () => TestPod.run(node)));
  const addresses = await Promise.all(pods.map((pod) => pod.ip()));
  expect(new Set(addresses).size).toBe(5);
});
