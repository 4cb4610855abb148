// The server over a real socket, asked by the real client.

import { Client, credentials, status } from '@grpc/grpc-js';
import { existsSync } from 'node:fs';
import { mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CriClient } from '../../api/cri/client.ts';
import { ContainerState } from '../../api/cri/generated/types.ts';
import type { Call, Log } from '../base/call.ts';
import { Fault, notFound } from '../base/fault.ts';
import { silentLog } from '../base/testing/call.ts';
import { GrpcServer, type GrpcServerOptions } from './serve.ts';

let dir: string;
let socketPath: string;
let server: GrpcServer | undefined;
let client: CriClient;

async function serve(
  options: Partial<GrpcServerOptions> & Pick<GrpcServerOptions, 'services'>,
): Promise<GrpcServer> {
  server = await GrpcServer.listen({ socketPath, log: silentLog, ...options });
  return server;
}

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'davit-test-serve-'));
  socketPath = join(dir, 'davit.sock');
  client = new CriClient(socketPath);
});
afterEach(async () => {
  client[Symbol.dispose]();
  await server?.stop(0);
  server = undefined;
  await rm(dir, { recursive: true });
});

const version = { version: '0.1.0', runtimeName: 'davit', runtimeVersion: '1', runtimeApiVersion: 'v1' };

test('a request reaches its handler, and the answer its caller', async () => {
  await serve({
    services: {
      runtime: { version: (_call, request) => Promise.resolve({ ...version, version: request.version }) },
      image: {},
    },
  });
  expect(await client.version({ version: 'v1' })).toEqual({ ...version, version: 'v1' });
});

test('a Fault arrives as the status of the same name, with its causes as far as they are for callers', async () => {
  const cause = new Fault('internal', 'plugin "bridge" failed', {
    cause: new TypeError('x is not a function'),
  });
  await serve({
    services: {
      runtime: {
        runPodSandbox: () => Promise.reject(new Fault('unavailable', 'cannot attach "web"', { cause })),
      },
      image: {},
    },
  });
  await expect(client.runPodSandbox()).rejects.toMatchObject({
    code: status.UNAVAILABLE,
    details: 'cannot attach "web": plugin "bridge" failed',
  });
});

test('what is thrown and is no Fault is INTERNAL', async () => {
  await serve({
    services: {
      runtime: {
        version: () => {
          throw new TypeError('x is not a function');
        },
      },
      image: {},
    },
  });
  await expect(client.version()).rejects.toMatchObject({ code: status.INTERNAL });
});

test('an RPC without a handler is UNIMPLEMENTED by name, unary or stream', async () => {
  await serve({ services: { runtime: {}, image: {} } });
  const refusal = (name: string) => ({
    code: status.UNIMPLEMENTED,
    details: `this version does not implement "${name}"`,
  });
  await expect(client.checkpointPod()).rejects.toMatchObject(refusal('CheckpointPod'));
  await expect(Array.fromAsync(client.streamImages())).rejects.toMatchObject(refusal('StreamImages'));
});

test('a request that cannot be decoded is INVALID_ARGUMENT, and the server goes on', async () => {
  await serve({ services: { runtime: { version: () => Promise.resolve(version) }, image: {} } });
  const raw = new Client(`unix:${socketPath}`, credentials.createInsecure());
  const same = (bytes: Buffer) => bytes;
  const answer = new Promise((resolve) => {
    raw.makeUnaryRequest('/runtime.v1.RuntimeService/Version', same, same, Buffer.from([10, 200]), resolve);
  });
  expect(await answer).toMatchObject({
    code: status.INVALID_ARGUMENT,
    details: 'cannot decode the request of "Version"',
  });
  raw.close();
  expect(await client.version()).toEqual(version);
});

test('an answer that cannot be encoded is INTERNAL, and logged', async () => {
  const { log, lines } = recordingLog();
  const createdAt = 2n ** 64n;
  await serve({
    log,
    services: {
      runtime: { listContainers: () => Promise.resolve({ containers: [{ createdAt }] }) },
      image: {},
    },
  });
  await expect(client.listContainers()).rejects.toMatchObject({ code: status.INTERNAL });
  expect(lines).toEqual(['error ListContainers internal']);
});

test('the message of a status may hold any text', async () => {
  const message = `a\ud800b "ü" 100%\n${'€'.repeat(5000)}`;
  await serve({
    services: { runtime: { version: () => Promise.reject(new Fault('internal', message)) }, image: {} },
  });
  const expected = expect.stringMatching(/^a\ufffdb "ü" 100%\n€{1900,}…$/u) as unknown;
  await expect(client.version()).rejects.toMatchObject({ code: status.INTERNAL, details: expected });
});

test('a request of more than 16 MiB is refused, and an answer of more is not', async () => {
  const stdout = Buffer.alloc(17 * 1024 * 1024);
  await serve({
    services: {
      runtime: { version: () => Promise.resolve(version), execSync: () => Promise.resolve({ stdout }) },
      image: {},
    },
  });
  await expect(client.version({ version: 'v'.repeat(17 * 1024 * 1024) })).rejects.toMatchObject({
    code: status.RESOURCE_EXHAUSTED,
  });
  expect((await client.execSync()).stdout.length).toBe(stdout.length);
});

test('each RPC is logged once: what is asked often at debug, the rest at info, our own bugs at error', async () => {
  const { log, lines } = recordingLog();
  const observed: string[] = [];
  await serve({
    log,
    observe: (method, code) => observed.push(`${method} ${code}`),
    services: {
      runtime: {
        version: () => Promise.resolve(version),
        startContainer: () => Promise.resolve({}),
        containerStatus: () => Promise.reject(notFound('container', 'c1')),
        stopContainer: () => Promise.reject(new Error('oops')),
      },
      image: {},
    },
  });
  await client.version();
  await client.startContainer();
  await Promise.allSettled([client.containerStatus()]);
  await Promise.allSettled([client.stopContainer()]);
  expect(lines).toEqual([
    'debug Version ok',
    'info StartContainer ok',
    'info ContainerStatus not_found',
    'error StopContainer internal',
  ]);
  expect(observed).toEqual([
    'Version ok',
    'StartContainer ok',
    'ContainerStatus not_found',
    'StopContainer internal',
  ]);
});

test('the handler is told when the caller cancels', async () => {
  const told = Promise.withResolvers<unknown>();
  const begun = Promise.withResolvers<undefined>();
  await serve({
    services: {
      runtime: {
        stopContainer: (call) => {
          begun.resolve(undefined);
          return untilAborted(call).finally(() => {
            told.resolve(call.signal.reason);
          });
        },
      },
      image: {},
    },
  });
  const caller = new AbortController();
  const answer = client.stopContainer({}, { signal: caller.signal });
  await begun.promise;
  caller.abort(new Error('changed my mind'));
  await expect(answer).rejects.toThrow('changed my mind');
  expect(await told.promise).toMatchObject({ code: 'cancelled' });
});

test('the handler is told when the deadline passes', async () => {
  const told = Promise.withResolvers<unknown>();
  await serve({
    services: {
      runtime: {
        stopContainer: (call) =>
          untilAborted(call).finally(() => {
            told.resolve(call.signal.reason);
          }),
      },
      image: {},
    },
  });
  await expect(client.stopContainer({}, { timeoutMs: 50 })).rejects.toMatchObject({
    code: status.DEADLINE_EXCEEDED,
  });
  expect(await told.promise).toMatchObject({ code: 'deadline_exceeded' });
});

test('a stream carries every item in order, and ends', async () => {
  await serve({
    services: {
      runtime: {
        async *streamContainers() {
          for (let i = 0; i < 500; i++)
            yield await Promise.resolve({
              containers: [{ id: `c${i}`, state: ContainerState.CONTAINER_RUNNING }],
            });
        },
      },
      image: {},
    },
  });
  const received = await Array.fromAsync(client.streamContainers(), ({ containers }) => containers[0]?.id);
  expect(received).toEqual(Array.from({ length: 500 }, (_, i) => `c${i}`));
});

test('a fault in the middle of a stream arrives after the items before it', async () => {
  await serve({
    services: {
      runtime: {
        async *streamContainers() {
          yield await Promise.resolve({ containers: [{ id: 'c1' }] });
          throw new Fault('unavailable', 'the rest is not there');
        },
      },
      image: {},
    },
  });
  const received: string[] = [];
  const reading = (async () => {
    for await (const { containers } of client.streamContainers()) received.push(containers[0]!.id);
  })();
  await expect(reading).rejects.toMatchObject({ code: status.UNAVAILABLE, details: 'the rest is not there' });
  expect(received).toEqual(['c1']);
});

test('a slow reader holds its handler back', async () => {
  let produced = 0;
  await serve({
    services: {
      runtime: {
        async *streamContainers() {
          for (; produced < 1000; produced++) {
            yield await Promise.resolve({ containers: [{ id: 'x'.repeat(100_000) }] });
          }
        },
      },
      image: {},
    },
  });
  for await (const _ of client.streamContainers()) {
    await new Promise((resolve) => setTimeout(resolve, 200)); // time enough to produce all of it
    break;
  }
  expect(produced).toBeLessThan(100);
});

test('a reader that leaves ends its handler, even one that waits for something else', async () => {
  const ended = Promise.withResolvers<unknown>();
  const { log, lines } = recordingLog();
  await serve({
    log,
    services: {
      runtime: {
        async *getContainerEvents(call) {
          call.signal.addEventListener('abort', () => {
            ended.resolve(call.signal.reason);
          });
          yield await Promise.resolve({ containerId: 'c1' });
          await new Promise(() => undefined);
        },
      },
      image: {},
    },
  });
  for await (const event of client.getContainerEvents()) {
    expect(event.containerId).toBe('c1');
    break;
  }
  expect(await ended.promise).toMatchObject({ code: 'cancelled' });
  await expect.poll(() => lines).toEqual(['info GetContainerEvents cancelled']);
});

test('stop() ends streams at once, lets RPCs finish, and removes the socket', async () => {
  const release = Promise.withResolvers<object>();
  const begun = Promise.withResolvers<undefined>();
  const running = await serve({
    services: {
      runtime: {
        startContainer: () => {
          begun.resolve(undefined);
          return release.promise;
        },
        async *getContainerEvents(call) {
          yield { containerId: 'c1' };
          await untilAborted(call);
        },
      },
      image: {},
    },
  });
  const events = client.getContainerEvents()[Symbol.asyncIterator]();
  await events.next();
  const starting = client.startContainer();
  await begun.promise;
  const stopped = running.stop(10_000);
  await expect(events.next()).rejects.toMatchObject({
    code: status.UNAVAILABLE,
    details: 'the daemon is stopping',
  });
  release.resolve({});
  expect(await starting).toEqual({});
  await stopped;
  expect(existsSync(socketPath)).toBe(false);
});

test('stop() aborts what does not finish in time', async () => {
  const begun = Promise.withResolvers<undefined>();
  const running = await serve({
    services: {
      runtime: {
        startContainer: (call) => {
          begun.resolve(undefined);
          return untilAborted(call);
        },
      },
      image: {},
    },
  });
  const starting = client.startContainer();
  starting.catch(() => undefined);
  await begun.promise;
  await running.stop(20);
  await expect(starting).rejects.toMatchObject({
    code: status.UNAVAILABLE,
    details: 'the daemon is stopping',
  });
});

test('the socket is for root and its group', async () => {
  await serve({ services: { runtime: {}, image: {} } });
  expect(((await stat(socketPath)).mode & 0o777).toString(8)).toBe('660');
});

test('a socket that somebody serves is not taken, and one left behind is', async () => {
  const first = await serve({ services: { runtime: {}, image: {} } });
  await expect(serve({ services: { runtime: {}, image: {} } })).rejects.toThrow('another process does');
  await first.stop(0);
  await leaveSocket(socketPath);
  expect(existsSync(socketPath)).toBe(true);
  await serve({ services: { runtime: { version: () => Promise.resolve(version) }, image: {} } });
  await client.waitForReady(5000);
  expect(await client.version()).toEqual(version);
});

test('a file that is no socket is not removed', async () => {
  await writeFile(socketPath, 'precious');
  await expect(serve({ services: { runtime: {}, image: {} } })).rejects.toMatchObject({
    code: 'failed_precondition',
  });
  expect((await stat(socketPath)).isFile()).toBe(true);
});

test('a missing directory and a path that is too long are named', async () => {
  const missing = join(dir, 'no', 'davit.sock');
  const services = { runtime: {}, image: {} };
  await expect(serve({ services, socketPath: missing })).rejects.toThrow(
    `there is no directory "${join(dir, 'no')}"`,
  );
  await expect(serve({ services, socketPath: join(dir, 'x'.repeat(108)) })).rejects.toMatchObject({
    code: 'invalid_argument',
  });
});

function untilAborted(call: Call): Promise<never> {
  return new Promise((_, reject) => {
    call.signal.addEventListener('abort', () => {
      reject(call.signal.reason as Error);
    });
  });
}

/** A log of lines such as `info StartContainer ok`. */
function recordingLog(): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const at = (level: string) => (fields: object) => {
    const { method, outcome } = fields as { method: string; outcome: string };
    lines.push(`${level} ${method} ${outcome}`);
  };
  return { log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }, lines };
}

/** A socket file with nobody behind it, as a killed daemon leaves it. */
async function leaveSocket(path: string): Promise<void> {
  const dead = createServer();
  await new Promise<void>((resolve) => dead.listen(`${path}.moved`, resolve));
  await rename(`${path}.moved`, path); // Node removes the path it knows, not this one
  await new Promise((resolve) => dead.close(resolve));
}
