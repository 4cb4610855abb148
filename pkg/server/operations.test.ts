import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { CriClient } from '../../api/cri/client.ts';
import { RuntimeServiceDefinition } from '../../api/cri/generated/services.ts';
import { silentLog } from '../base/testing/call.ts';
import { stage } from '../base/timeline.ts';
import { Operations } from './operations.ts';
import type { FinishedRpc } from './rpc-spans.ts';
import { GrpcServer } from './serve.ts';

test('an RPC under way is known with what it is about and at which stage', async () => {
  const operations = new Operations();
  const proceed = Promise.withResolvers<undefined>();
  const started = Promise.withResolvers<undefined>();
  const dir = await mkdtemp(join(tmpdir(), 'davit-test-operations-'));
  const socketPath = join(dir, 'davit.sock');
  await using _server = await GrpcServer.listen({
    socketPath,
    log: silentLog,
    operations,
    services: {
      runtime: {
        async stopPodSandbox(call) {
          using _stage = stage(call, 'unmount');
          started.resolve(undefined);
          await proceed.promise;
          return {};
        },
      },
      image: {},
    },
  });
  using client = new CriClient(socketPath);
  const stopping = client.stopPodSandbox({ podSandboxId: 'p1' });
  await started.promise;
  expect(operations.list()).toMatchObject([
    { method: 'StopPodSandbox', subject: 'p1', stage: { name: 'unmount' } },
  ]);
  proceed.resolve(undefined);
  await stopping;
  expect(operations.list()).toEqual([]);
  await rm(dir, { recursive: true });
});

test("who observes an RPC learns its stages and the caller's trace", async () => {
  const dir = await mkdtemp(join(tmpdir(), 'davit-test-operations-'));
  const socketPath = join(dir, 'davit.sock');
  const finished = Promise.withResolvers<FinishedRpc>();
  await using _server = await GrpcServer.listen({
    socketPath,
    log: silentLog,
    observe: (_method, _code, _tookMs, rpc) => {
      finished.resolve(rpc());
    },
    services: {
      runtime: {
        stopPodSandbox: (call) => {
          using _stage = stage(call, 'unmount');
          return Promise.resolve({});
        },
      },
      image: {},
    },
  });
  const client = new Client(`unix:${socketPath}`, credentials.createInsecure());
  const metadata = new Metadata();
  metadata.set('traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01');
  const { path, requestSerialize, responseDeserialize } = RuntimeServiceDefinition.stopPodSandbox;
  const request = { podSandboxId: 'p1' };
  client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, metadata, () => undefined);
  expect(await finished.promise).toMatchObject({
    method: 'StopPodSandbox',
    subject: 'p1',
    stages: [{ name: 'unmount' }],
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  });
  client.close();
  await rm(dir, { recursive: true });
});
