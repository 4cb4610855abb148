// Attach over both transports: what a container prints from now on, what it reads, and who may end that.

import { statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  connectCommand,
  TRANSPORTS,
  type CommandClient,
  type Transport,
  type Wanted,
} from './harness/command-client.ts';
import type { TestContainer } from './harness/container.ts';
import { eventually } from './harness/eventually.ts';
import { TestPod } from './harness/pod.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode();

const LISTEN = { stdout: true, stderr: true };
const TALK = { stdin: true, stdout: true, stderr: true };

async function attach(transport: Transport, { id }: TestContainer, wanted: Wanted): Promise<CommandClient> {
  const { url } = await node.client.attach({ containerId: id, ...wanted });
  return await connectCommand(transport, url, wanted);
}

async function startCat(options: { readonly stdinOnce: boolean }): Promise<TestContainer> {
  const pod = await TestPod.run(node);
  const command = ['sh', '-c', 'while read line; do echo "you said $line"; done; echo the end'];
  return await pod.start({ command, streams: { stdin: true, ...options } });
}

async function expectPrinted(client: CommandClient, text: string): Promise<void> {
  await eventually(`it has printed "${text}"`, () => client.outcome().stdout.toString().includes(text));
}

describe.each(TRANSPORTS)('over %s', (transport) => {
  test('several clients see the same from then on until the container ends, and all of it', async () => {
    const container = await startCat({ stdinOnce: true });
    const [first, second] = [
      await attach(transport, container, TALK),
      await attach(transport, container, LISTEN),
    ];
    await eventually('both are there', async () => {
      first.write('hello\n');
      return [first, second].every((client) => client.outcome().stdout.includes('you said hello'));
    });
    first.endStdin();
    await eventually('both are told the end', () => first.closed && second.closed);
    for (const client of [first, second]) {
      expect(client.outcome().stdout.toString()).toMatch(/^(you said hello\n)+the end\n$/);
      expect(client.outcome().status).toMatchObject({ status: 'Success' });
    }
    expect((await container.waitForExit()).exitCode).toBe(0);
  });

  test('input that is for one client ends when that leaves, but not when a listener does', async () => {
    const container = await startCat({ stdinOnce: true });
    const listener = await attach(transport, container, LISTEN);
    const talker = await attach(transport, container, TALK);
    talker.write('one\n');
    await expectPrinted(listener, 'you said one');
    listener.leave();
    const again = await attach(transport, container, LISTEN);
    talker.write('two\n');
    await expectPrinted(talker, 'you said two');
    talker.leave();
    await container.waitForExit();
    await eventually('it was told', () => again.closed);
    expect(container.logText('stdout')).toBe('you said one\nyou said two\nthe end\n');
  });

  test('input that is for many goes on when one leaves', async () => {
    const container = await startCat({ stdinOnce: false });
    const first = await attach(transport, container, TALK);
    first.write('one\n');
    await expectPrinted(first, 'you said one');
    first.leave();
    const second = await attach(transport, container, TALK);
    second.write('two\n');
    await expectPrinted(second, 'you said two');
    await container.stop(0);
    await eventually('it was told', () => second.closed);
  });

  test('a client that reads nothing is dropped, and never holds up the container', async () => {
    const pod = await TestPod.run(node);
    const line = 'x'.repeat(1000);
    const command = [
      'sh',
      '-c',
      `while ! [ -e /tmp/go ]; do usleep 10000; done; yes ${line} | head -n 60000; echo all`,
    ];
    const container = await pod.start({ command });
    const client = await attach(transport, container, LISTEN);
    client.pause();
    await container.exec(['touch', '/tmp/go']);
    expect((await container.waitForExit()).exitCode).toBe(0);
    expect(statSync(container.logPath).size).toBeGreaterThan(60_000_000);
    expect(container.log().at(-1)?.content.toString()).toBe('all');
    client.leave();
  });
});
