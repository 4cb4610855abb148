import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { testCall } from '../base/testing/call.ts';
import type { ContainerState } from '../container/phase.ts';
import { aContainer } from '../container/testing/container.ts';
import type { SandboxState } from '../sandbox/phase.ts';
import { aSandbox } from '../sandbox/testing/sandbox.ts';
import { PodStreams } from './streaming.ts';

const EXITED: ContainerState = {
  ...{ phase: 'exited', exitCode: 0, reason: 'Completed', message: '' },
  ...{ startedAtNs: 1n, finishedAtNs: 2n },
};

/** Streams of one container and one sandbox, whose runtime must not be asked. */
function streamsOf(states: { container?: ContainerState; sandbox?: SandboxState }): PodStreams {
  const container = aContainer(states.container ?? EXITED);
  const sandbox = aSandbox(states.sandbox ?? { phase: 'ready' });
  const unused = () => Promise.reject(new Error('not expected'));
  return new PodStreams({
    runDir: '/nonexistent',
    containers: { get: () => container, list: () => [container] },
    sandboxes: { get: () => sandbox },
    runtime: { exec: unused, attach: unused, resize: unused, endOrphanExecs: unused },
  });
}

const { id } = aContainer(EXITED);
const sandboxId = aSandbox({ phase: 'ready' }).id;
const wanted = { id, stdin: false, stdout: true, stderr: true, tty: false };

test('exec() and attach() refuse a container that does not run', async () => {
  const streams = streamsOf({});
  const refusal = { code: 'failed_precondition', message: expect.stringContaining('it is exited') as string };
  await expect(streams.exec(testCall, { ...wanted, kind: 'exec', args: ['true'] })).rejects.toMatchObject(
    refusal,
  );
  const attaching = streams.attach(testCall, { ...wanted, kind: 'attach' }, () => undefined);
  await expect(attaching).rejects.toMatchObject(refusal);
});

test('connect() refuses a sandbox that is not ready', async () => {
  const streams = streamsOf({ sandbox: { phase: 'stopped' } });
  await expect(streams.connect(testCall, sandboxId, 80)).rejects.toMatchObject({
    code: 'failed_precondition',
  });
});

test('connect() reaches the loopback interface of the node, if the pod is on its network', async () => {
  const server = createServer((socket) => socket.end('hello')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const connection = await streamsOf({}).connect(testCall, sandboxId, port);
  const [greeting] = (await once(connection, 'data')) as [Buffer];
  expect(greeting.toString()).toBe('hello');
  connection.destroy();
  server.close();
});

test('connect() names the pod and the port that refuse', async () => {
  await expect(streamsOf({}).connect(testCall, sandboxId, 1)).rejects.toMatchObject({
    code: 'unavailable',
    message: 'cannot connect to port 1 of pod "default/web" on its loopback interface: connection refused',
  });
});

test('endOrphans() asks about nothing but what runs', async () => {
  await expect(streamsOf({}).endOrphans(testCall)).resolves.toBeUndefined();
});
