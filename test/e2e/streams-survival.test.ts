// The daemon dies while it streams: its clients see an end, what they ran does not linger, and containers and their
// logs do not notice.

import { describe, expect, test } from 'vitest';
import { connectCommand, TRANSPORTS } from './harness/command-client.ts';
import type { TestContainer } from './harness/container.ts';
import { eventually } from './harness/eventually.ts';
import { ForwardClient } from './harness/forward-client.ts';
import { PORTS, servePod } from './harness/pod-servers.ts';
import { TestPod } from './harness/pod.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode();

const STREAMS = { stdin: true, stdout: true, stderr: true };
const COUNT = ['sh', '-c', 'i=0; while :; do i=$((i+1)); echo line $i; usleep 2000; done'];

async function commands(container: TestContainer): Promise<string> {
  return (await container.exec(['ps', '-o', 'args'])).stdout;
}

for (const [how, away] of [
  ['kill -9', () => node.kill9()],
  ['a clean stop', () => node.stop()],
] as const) {
  describe.each(TRANSPORTS)(`${how}, over %s`, (transport) => {
    test('ends exec, attach and port-forward for their clients, and no container', async () => {
      const pod = await TestPod.run(node);
      await using servers = await servePod(pod);
      const container = await pod.start({ command: COUNT });
      const before = await container.info();
      const cmd = ['sh', '-c', 'setsid sleep 3010 & exec sleep 3011'];
      const { url } = await node.client.exec({ containerId: container.id, cmd, ...STREAMS });
      const exec = await connectCommand(transport, url, STREAMS);
      const attached = await node.client.attach({ containerId: container.id, stdout: true });
      const attach = await connectCommand(transport, attached.url, { stdout: true });
      const forwarding = await node.client.portForward({ podSandboxId: pod.id });
      using forward = await ForwardClient.connect(transport, forwarding.url);
      forward.open(PORTS.echoTwice);
      await eventually('all are at work', async () => {
        const sleeps = (await commands(container)).match(/^sleep 301[01]$/gm) ?? [];
        return sleeps.length === 2 && attach.outcome().stdout.length > 0 && servers.connections() === 1;
      });

      await away();
      await eventually('the clients see it', () => exec.closed && attach.closed && forward.spdy.closed);
      expect(exec.outcome().status).not.toMatchObject({ status: 'Success' });
      expect(attach.outcome().status).not.toMatchObject({ status: 'Success' });
      await eventually('the connection is closed', () => servers.connections() === 0);
      const written = container.log().length;
      await container.waitForLog(`line ${written + 50}`); // nobody but the monitor is there
      await node.start();
      expect(await commands(container)).not.toContain('sleep 301');
      expect(await container.info()).toMatchObject({ pid: before.pid, monitorPid: before.monitorPid });
      await container.stop(0);
      const numbers = container.log().map(({ content }) => Number(content.toString().slice('line '.length)));
      expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    });
  });
}
