// PortForward into the network of a pod, as a client sees it: over SPDY, and over SPDY within a WebSocket.

import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { TRANSPORTS } from './harness/command-client.ts';
import { eventually } from './harness/eventually.ts';
import { ForwardClient, type Forwarded } from './harness/forward-client.ts';
import { PORTS, servePod } from './harness/pod-servers.ts';
import { TestPod } from './harness/pod.ts';
import { refusalOf } from './harness/refusal.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode();

async function forwardUrl(pod: TestPod): Promise<string> {
  return (await node.client.portForward({ podSandboxId: pod.id })).url;
}

async function expectEcho(forwarded: Forwarded, text: string): Promise<void> {
  forwarded.write(text);
  forwarded.end();
  await forwarded.over();
  expect([forwarded.data.text, forwarded.error.text]).toEqual([text + text, '']);
}

describe.each(TRANSPORTS)('over %s', (transport) => {
  test('many connections at once, each with its own end, to IPv4 and IPv6', async () => {
    const pod = await TestPod.run(node);
    await using _servers = await servePod(pod);
    using client = await ForwardClient.connect(transport, await forwardUrl(pod));
    const ports = [PORTS.echoTwice, PORTS.echoTwiceOnIpv6];
    const connections = Array.from({ length: 200 }, (_, i) => client.open(ports[i % 2] ?? 0));
    await Promise.all(connections.map((forwarded, i) => expectEcho(forwarded, `greetings ${i}`)));
  });

  test('bytes come as they were sent, also many', async () => {
    const pod = await TestPod.run(node);
    await using _servers = await servePod(pod);
    using client = await ForwardClient.connect(transport, await forwardUrl(pod));
    const forwarded = client.open(PORTS.echoTwice);
    const sent = randomBytes(5_000_001);
    forwarded.write(sent);
    forwarded.end();
    await forwarded.over();
    expect(Buffer.concat(forwarded.data.chunks).equals(Buffer.concat([sent, sent]))).toBe(true);
  });

  test('what the pod has said comes, though it listens no more', async () => {
    const pod = await TestPod.run(node);
    await using _servers = await servePod(pod);
    using client = await ForwardClient.connect(transport, await forwardUrl(pod));
    const forwarded = client.open(PORTS.goodbye);
    await eventually('it has said goodbye', () => forwarded.data.ended);
    forwarded.end();
    await forwarded.over();
    expect([forwarded.data.text, forwarded.data.reset, forwarded.error.text]).toEqual(['goodbye', false, '']);
  });

  test('a refused and a reset connection are told on their own streams, and no other notices', async () => {
    const pod = await TestPod.run(node);
    await using _servers = await servePod(pod);
    using client = await ForwardClient.connect(transport, await forwardUrl(pod));
    const [refused, reset, good] = [
      client.open(PORTS.closed),
      client.open(PORTS.reset),
      client.open(PORTS.echoTwice),
    ];
    reset.write('x');
    await refused.over();
    await reset.over();
    expect(refused.error.text).toMatch(
      /^cannot forward port 7005 of pod sandbox ".*": .*connection refused$/,
    );
    expect([refused.data.reset, reset.data.reset, reset.error.text]).toEqual([true, true, '']);
    await expectEcho(good, 'still here');
  });

  test('a client that leaves closes its connections', async () => {
    const pod = await TestPod.run(node);
    await using servers = await servePod(pod);
    const client = await ForwardClient.connect(transport, await forwardUrl(pod));
    const forwarded = client.open(PORTS.echoTwice);
    await eventually('it is connected', () => forwarded.data.replied && servers.connections() === 1);
    client.spdy.transport.destroy();
    await eventually('it is closed', () => servers.connections() === 0);
  });
});

test('the ports of a pod that is stopped are not forwarded', async () => {
  const pod = await TestPod.run(node);
  await pod.stop();
  expect(await refusalOf(node.client.portForward({ podSandboxId: pod.id }))).toMatchObject({
    code: 'FAILED_PRECONDITION',
  });
});
