// Hostile clients of the streaming server. After all of them the daemon serves as before, with as much memory and
// as many descriptors. Each single attack is tested in pkg/stream.

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import {
  connectSpdy,
  controlFrame,
  dataFrame,
  synStream,
  uint32,
  upgrade,
} from '../../pkg/stream/testing/spdy-client.ts';
import { talk } from './harness/command-client.ts';
import type { TestContainer } from './harness/container.ts';
import { eventually } from './harness/eventually.ts';
import { TestPod } from './harness/pod.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode();

const MEBIBYTE = 1024 * 1024;
const ALL = { stdin: true, stdout: true, stderr: true };
const NAMES = ['error', 'stdin', 'stdout', 'stderr'];

async function execUrl({ id }: TestContainer, cmd: readonly string[] = ['sleep', '3020']): Promise<string> {
  return (await node.client.exec({ containerId: id, cmd, ...ALL })).url;
}

async function rawConnection(url: string): Promise<Socket> {
  const { port, hostname } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** Each leaves at the end; what it wants is that something stays. */
const attacks: Record<string, (container: TestContainer) => Promise<void>> = {
  'a hundred connections that say next to nothing': async (container) => {
    const url = await execUrl(container);
    const sockets = await Promise.all(Array.from({ length: 100 }, () => rawConnection(url)));
    for (const socket of sockets) socket.write('POST /exec/x HTTP/1.1\r\nHost: x\r\nX-Slow: ');
    for (const socket of sockets) socket.write('1');
    await expectHealthy(container);
    for (const socket of sockets) socket.destroy();
  },
  'headers without end': async (container) => {
    const socket = await rawConnection(await execUrl(container));
    socket.write(`POST /exec/x HTTP/1.1\r\nX: ${'x'.repeat(MEBIBYTE)}`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 431/);
    socket.destroy();
  },
  'thousands of guesses, and a token that was used': async (container) => {
    const used = await execUrl(container, ['true']);
    await talk('spdy', used, ALL);
    expect(await upgrade(used)).toBe(404);
    const { origin } = new URL(used);
    for (let i = 0; i < 20; i++) {
      const guesses = Array.from({ length: 100 }, () => randomBytes(32).toString('base64url'));
      const answers = await Promise.all(guesses.map((guess) => upgrade(`${origin}/exec/${guess}`)));
      expect(answers.every((answer) => answer === 404)).toBe(true);
    }
  },
  'a flood of pings whose answers nobody reads': async (container) => {
    using client = await connectSpdy(await execUrl(container));
    client.transport.pause();
    const flood = Buffer.concat(
      Array.from({ length: 50_000 }, (_, i) => controlFrame(6, 0, uint32(2 * i + 1))),
    );
    for (let i = 0; i < 20; i++) client.transport.write(flood);
    await delay(200);
  },
  'a flood of streams, and of resets of them': async (container) => {
    using client = await connectSpdy(await execUrl(container));
    const ids = Array.from({ length: 5000 }, () => client.open({ streamtype: 'nonsense' }));
    for (const id of ids) client.transport.write(controlFrame(3, 0, uint32(id, 5)));
    await eventually('all are refused', () => ids.every((id) => client.stream(id).reset));
  },
  'data for a command that does not read it': async (container) => {
    using client = await connectSpdy(await execUrl(container));
    const [, stdin] = NAMES.map((streamtype) => client.open({ streamtype }));
    for (let i = 0; i < 64; i++) client.send(stdin ?? 0, Buffer.alloc(MEBIBYTE));
    await delay(200);
    expect(client.transport.writableLength).toBeGreaterThan(32 * MEBIBYTE);
  },
  'frames that are none': async (container) => {
    const frames = [
      Buffer.from('8003000100ffffff', 'hex'), // too long
      Buffer.from('8002000100000004', 'hex'), // another version
      dataFrame(99, Buffer.from('x'), 0), // of no stream
      dataFrame(0, Buffer.from('x'), 0),
      synStream(2, 0, Buffer.alloc(0)), // not a client's
      synStream(3, 0, Buffer.from('nonsense')), // not compressed
      randomBytes(4096),
    ];
    for (const frame of frames) {
      using client = await connectSpdy(await execUrl(container));
      client.open({ streamtype: 'error' });
      client.transport.end(frame);
      await eventually('it is cut off', () => client.closed);
    }
  },
  'headers that grow when they are decompressed': async (container) => {
    using client = await connectSpdy(await execUrl(container));
    client.transport.write(synStream(1, 0, client.compress({ streamtype: 'x'.repeat(15_000) })));
    for (let i = 0; i < 200; i++) client.open({ streamtype: 'x'.repeat(10_000) });
    await delay(100);
  },
  'messages over a WebSocket that are too long, or a flood': async (container) => {
    for (const length of [2 * MEBIBYTE, 1]) {
      const url = (await execUrl(container)).replace('http', 'ws');
      const socket = new WebSocket(url, 'v5.channel.k8s.io');
      socket.on('error', () => undefined);
      await once(socket, 'open');
      for (let i = 0; i < 20_000 && length === 1; i++) socket.send(Buffer.of(i % 256));
      socket.send(Buffer.alloc(length));
      if (length > 1) await once(socket, 'close');
      socket.terminate();
    }
  },
};

async function expectHealthy(container: TestContainer): Promise<void> {
  const { stdout } = await talk('spdy', await execUrl(container, ['echo', 'healthy']), ALL);
  expect(stdout.toString()).toBe('healthy\n');
}

function descriptors(): number {
  return readdirSync(`/proc/${node.daemon.pid}/fd`).length;
}

function residentBytes(): number {
  const status = readFileSync(`/proc/${node.daemon.pid}/status`, 'utf8');
  return 1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
}

test('hostile clients leave the daemon healthy, and nothing of theirs stays', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start();
  const round = async () => {
    for (const attack of Object.values(attacks)) {
      await attack(container);
      await expectHealthy(container);
    }
  };
  await round(); // the first makes the heap as large as it has to be
  const idle = async () => {
    const isAlone = async () => !(await container.exec(['ps', '-o', 'args'])).stdout.includes('sleep 3020');
    await eventually('no command is left', isAlone);
    return { descriptors: descriptors(), residentBytes: residentBytes() };
  };
  const before = await idle();
  await round();
  await eventually(
    'the descriptors are closed',
    async () => (await idle()).descriptors <= before.descriptors,
  );
  const after = await idle();
  expect(after.residentBytes - before.residentBytes).toBeLessThan(48 * MEBIBYTE);
});
