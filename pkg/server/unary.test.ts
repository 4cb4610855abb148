import { status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { CriClient } from '../../api/cri/client.ts';
import { notFound } from '../base/fault.ts';
import { silentLog } from '../base/testing/call.ts';
import { tempDir } from '../sys/testing/temp-dir.ts';
import { GrpcServer, type Services } from './serve.ts';

async function serve(runtime: Services['runtime']): Promise<{ client: CriClient } & AsyncDisposable> {
  const dir = tempDir();
  const socketPath = dir.join('davit.sock');
  const server = await GrpcServer.listen({ socketPath, log: silentLog, services: { runtime, image: {} } });
  const client = new CriClient(socketPath);
  return {
    client,
    [Symbol.asyncDispose]: async () => {
      client[Symbol.dispose]();
      await server.stop();
      dir[Symbol.dispose]();
    },
  };
}

test('an answer in parts is one answer, and others are answered between the parts', async () => {
  const order: string[] = [];
  const versionAsked = Promise.withResolvers<undefined>();
  await using served = await serve({
    listContainers: async function* () {
      for (const id of ['a', 'b', 'c']) {
        order.push(id);
        yield { containers: [{ id }] };
        await versionAsked.promise;
      }
    },
    version: () => {
      order.push('version');
      versionAsked.resolve(undefined);
      return Promise.resolve({});
    },
  });

  const listing = served.client.listContainers({});
  await served.client.version({ version: 'v1' });

  expect((await listing).containers.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
  expect(order.indexOf('version')).toBeLessThan(order.indexOf('b'));
});

test('an answer in parts that fails half way is a failure', async () => {
  await using served = await serve({
    listContainers: async function* () {
      yield { containers: [{ id: 'a' }] };
      throw notFound('container', 'b');
    },
  });

  await expect(served.client.listContainers({})).rejects.toMatchObject({ code: status.NOT_FOUND });
});
