import { existsSync } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CriClient } from '../../api/cri/client.ts';
import { silentLog } from '../base/testing/call.ts';
import { tempDir } from '../sys/testing/temp-dir.ts';
import { GrpcServer } from './serve.ts';

const version = { version: '0.1.0', runtimeName: 'davit', runtimeVersion: '1', runtimeApiVersion: 'v1' };

test('a socket that is removed, with its directory, is made again, and what is under way goes on', async () => {
  using temporary = tempDir();
  const dir = temporary.join('own');
  await mkdir(dir);
  const socketPath = join(dir, 'davit.sock');
  const [begun, released] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
  const runtime = {
    version: () => Promise.resolve(version),
    stopContainer: async () => {
      begun.resolve(undefined);
      await released.promise;
      return {};
    },
  };
  await using server = await GrpcServer.listen({
    socketPath,
    log: silentLog,
    services: { runtime, image: {} },
  });
  using client = new CriClient(socketPath);
  const stopping = client.stopContainer({ containerId: 'c' });
  await begun.promise;
  await rm(dir, { recursive: true });
  using other = new CriClient(socketPath);
  await other.waitForReady(30_000);
  expect(await other.version({})).toEqual(version);
  expect((await stat(socketPath)).mode & 0o777).toBe(0o660);
  released.resolve(undefined);
  expect(await stopping).toEqual({});
  expect(await client.version({})).toEqual(version); // over a new connection
  await server.stop(0);
  expect(existsSync(socketPath)).toBe(false);
});
