// What people see of pulls.

import { afterEach, expect, test } from 'vitest';
import type { PullInit } from '../../api/davit/generated/types.ts';
import { ago, FakeRuntime, runDavitctl } from './testing/fake-runtime.ts';

const layer = {
  digest: `sha256:${'1'.repeat(64)}`,
  state: 'downloading',
  sizeBytes: 4096n,
  receivedBytes: 1024n,
  bytesPerSecond: 512n,
  host: 'https://mirror.example',
  retries: 2,
};
const running: PullInit = {
  reference: 'docker.io/library/web:1',
  state: 'pulling',
  startedAt: ago(2),
  totalBytes: 4096n,
  receivedBytes: 1024n,
  bytesPerSecond: 512n,
  eta: 6_000_000_000n,
  layers: [layer, { digest: `sha256:${'2'.repeat(64)}`, state: 'shared', sizeBytes: 1048576n }],
};
const failed: PullInit = {
  reference: 'docker.io/library/none:1',
  state: 'failed',
  message: 'no such image',
  startedAt: ago(10),
  endedAt: ago(9),
};

let fake: FakeRuntime | undefined;
afterEach(async () => {
  await fake?.[Symbol.asyncDispose]();
});

/** @param whilePulling what the runtime tells when it is asked first; then the pull ends */
async function startRuntime(whilePulling: readonly PullInit[]): Promise<FakeRuntime> {
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));
  fake = await FakeRuntime.start(
    { pullImage: () => ended.then(() => ({ imageRef: 'sha256:pulled' })) },
    {
      listPulls: () => {
        end();
        return Promise.resolve({ pulls: whilePulling });
      },
    },
  );
  return fake;
}

test('pulls shows a line for each, and why one failed', async () => {
  const runtime = await startRuntime([running, failed]);
  expect((await runtime.run('pulls')).out).toBe(`\
IMAGE                     STATE    RECEIVED  OF       RATE     TOOK   LEFT   FROM                    RETRIES
docker.io/library/web:1   pulling  1.0 KiB   4.0 KiB  512 B/s  2.0 s  6.0 s  https://mirror.example  2
docker.io/library/none:1  failed   0 B       0 B      -        1.0 s  -      -                       0
docker.io/library/none:1: no such image
`);
});

test('pulls --layers shows each layer', async () => {
  const { out } = await (await startRuntime([running])).run('pulls', '-l');
  expect(out.split('\n').slice(2, 4)).toEqual([
    '  sha256:111111111111    downloading  1.0 KiB   4.0 KiB  512 B/s                https://mirror.example  2',
    '  sha256:222222222222    shared       0 B       1.0 MiB  -                      -                       0',
  ]);
});

test('pull draws bars on a terminal, and takes them away at the end', async () => {
  const { socketPath } = await startRuntime([running]);
  const args = ['--socket', socketPath, 'pull', 'web:1'];
  const { out } = await runDavitctl(args, { terminal: { columns: 80 } });
  expect(out).toBe(`\
docker.io/library/web:1: 1.0 KiB of 4.0 KiB, 512 B/s, 6.0 s left
  111111111111  [######..................]    4.0 KiB  downloading from https:/
  222222222222  [########################]    1.0 MiB  shared
\u001B[3A\r\u001B[Jweb:1  sha256:pulled
`);
});

test('pull prints plain lines where there is no terminal', async () => {
  fake = await FakeRuntime.start();
  expect((await fake.run('pull', 'web:1')).out).toBe('web:1  sha256:pulled\n');
});

test('a runtime that tells nothing of pulls can be pulled with all the same', async () => {
  const slow = new Promise<{ imageRef: string }>((resolve) => {
    setTimeout(resolve, 700, { imageRef: 'sha256:pulled' });
  });
  fake = await FakeRuntime.start({ pullImage: () => slow });
  const args = ['--socket', fake.socketPath, 'pull', 'web:1'];
  expect((await runDavitctl(args, { terminal: { columns: 80 } })).out).toBe('web:1  sha256:pulled\n');
});
