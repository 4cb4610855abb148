import { once } from 'node:events';
import { readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { TLSSocket, type SecureContextOptions } from 'node:tls';
import { WebSocket } from 'ws';
import { expect, test } from 'vitest';
import { eventually } from '../sys/testing/eventually.ts';
import { makeAuthority, makeCertificate, type Certificate } from '../sys/testing/certificates.ts';
import { tempDir } from '../sys/testing/temp-dir.ts';
import { TlsFiles } from './tls-files.ts';
import { silentLog } from '../base/testing/call.ts';
import { execTarget, FakeBackend, listen } from './testing/fake-backend.ts';
import { connectSpdy, upgrade } from './testing/spdy-client.ts';

/** Two of a kind, so that one can be put into the place of the other. */
async function makeTwo(dir: string): Promise<readonly [Certificate, Certificate, Certificate]> {
  const authority = await makeAuthority(dir);
  return [authority, await makeCertificate(dir, 'a', authority), await makeCertificate(dir, 'b', authority)];
}

function read({ cert, key }: Certificate): { readonly cert: string; readonly key: string } {
  return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
}

function replace(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

const minVersion = 'TLSv1.2';

test('exec goes over TLS, by SPDY and by WebSocket, and a client that leaves is noticed', async () => {
  using dir = tempDir();
  const [{ cert: ca }, certificate] = await makeTwo(dir.path);
  const backend = new FakeBackend();
  await using server = await listen(backend, { tls: { ...certificate, minVersion } });
  const tls = { ca: readFileSync(ca) };
  using client = await connectSpdy(server.url(execTarget), undefined, tls);
  for (const streamtype of ['error', 'stdin', 'stdout', 'stderr']) client.open({ streamtype });
  const first = await eventually(() => backend.executions[0]);
  first.stdout.write('hello');
  first.exit(0);
  await eventually(() => client.closed);
  expect([client.stream(5).text, client.stream(1).text]).toEqual([
    'hello',
    '{"metadata":{},"status":"Success"}',
  ]);
  const socket = new WebSocket(server.url(execTarget).replace('https', 'wss'), 'v5.channel.k8s.io', tls);
  await once(socket, 'open');
  const second = await eventually(() => backend.executions[1]);
  while (socket.bufferedAmount < 16 * 1024 * 1024) socket.send(Buffer.alloc(65_536)); // stdin that nobody reads
  await eventually(() => second.stdin.writableNeedDrain);
  socket.terminate();
  await eventually(() => second.killed, 10_000);
});

test('a certificate that was replaced is used for the next connection, and those that are open stay', async () => {
  using dir = tempDir();
  const [{ cert: ca }, one, other] = await makeTwo(dir.path);
  const backend = new FakeBackend();
  await using server = await listen(backend, { tls: { ...one, minVersion } });
  const tls = { ca: readFileSync(ca) };
  using client = await connectSpdy(server.url(execTarget), undefined, tls);
  for (const streamtype of ['error', 'stdin', 'stdout', 'stderr']) client.open({ streamtype });
  const execution = await eventually(() => backend.executions[0]);
  const { cert, key } = read(other);
  replace(one.cert, cert); // until the key has come too, the old ones are used
  replace(one.key, key);
  await expect.poll(() => nameShown(server.url(execTarget), tls)).toBe('b');
  execution.exit(0);
  await eventually(() => client.closed);
  expect(client.stream(1).text).toContain('Success');
});

/** The common name of the certificate that a server shows. */
async function nameShown(url: string, tls: SecureContextOptions): Promise<string> {
  const upgraded = await upgrade(url, { tls });
  if (typeof upgraded === 'number') throw new Error(`refused with ${upgraded}`);
  const { socket } = upgraded;
  const subject = socket instanceof TLSSocket ? socket.getPeerCertificate().subject : undefined;
  socket.destroy();
  return [subject?.CN].join();
}

test('a certificate that cannot be used is not taken, and the next one that can is', async () => {
  using dir = tempDir();
  const [, one, other] = await makeTwo(dir.path);
  const warnings: string[] = [];
  const log = { ...silentLog, warn: (_fields: unknown, message: string) => warnings.push(message) };
  using files = await TlsFiles.open({ ...one, minVersion }, log);
  const before = files.current;
  replace(one.cert, 'nonsense');
  await eventually(() => warnings.length > 0);
  expect(files.current).toBe(before);
  const { cert, key } = read(other);
  replace(one.cert, cert);
  replace(one.key, key);
  await eventually(() => files.current.cert === cert && files.current.key === key);
});

test('a certificate behind links is followed, as in a volume of Kubernetes', async () => {
  using dir = tempDir();
  const [, one, other] = await makeTwo(dir.path);
  const [cert, key] = [dir.join('tls.crt'), dir.join('tls.key')];
  symlinkSync(one.cert, cert);
  symlinkSync(one.key, key);
  using files = await TlsFiles.open({ cert, key, minVersion }, silentLog);
  for (const [path, target] of [
    [cert, other.cert],
    [key, other.key],
  ] as const) {
    symlinkSync(target, `${path}.new`);
    renameSync(`${path}.new`, path);
  }
  await eventually(() => files.current.cert === read(other).cert && files.current.key === read(other).key);
});

test('who has no certificate of the authority for clients is not let in', async () => {
  using dir = tempDir();
  const [authority, certificate, ofClient] = await makeTwo(dir.path);
  const tls = { ...certificate, clientCa: authority.cert, minVersion } as const;
  await using server = await listen(new FakeBackend(), { tls });
  const ca = readFileSync(authority.cert);
  await expect(upgrade(server.url(execTarget), { tls: { ca } })).rejects.toThrow();
  const stranger = await makeAuthority(dir.path, 'stranger');
  await expect(upgrade(server.url(execTarget), { tls: { ca, ...read(stranger) } })).rejects.toThrow();
  using client = await connectSpdy(server.url(execTarget), undefined, { ca, ...read(ofClient) });
  expect(client.closed).toBe(false);
});

test('older versions of TLS than the least are refused', async () => {
  using dir = tempDir();
  const [authority, certificate] = await makeTwo(dir.path);
  const ca = readFileSync(authority.cert);
  await using server = await listen(new FakeBackend(), { tls: { ...certificate, minVersion: 'TLSv1.3' } });
  const old = upgrade(server.url(execTarget), { tls: { ca, maxVersion: 'TLSv1.2' } });
  await expect(old).rejects.toThrow(/protocol.version/i);
});

test('a handshake that is not finished is cut off', async () => {
  using dir = tempDir();
  const [, certificate] = await makeTwo(dir.path);
  await using server = await listen(new FakeBackend(), {
    ...{ tls: { ...certificate, minVersion }, requestTimeoutMs: 200 },
  });
  const { port, hostname } = new URL(server.url(execTarget));
  const socket = connect(Number(port), hostname).resume();
  socket.on('error', () => undefined);
  await once(socket, 'close');
});

test('files that are not there, or do not belong together, are told at the start', async () => {
  using dir = tempDir();
  const [, one, other] = await makeTwo(dir.path);
  const fault = { code: 'invalid_argument' };
  for (const key of [other.key, dir.join('missing')]) {
    await expect(
      listen(new FakeBackend(), { tls: { cert: one.cert, key, minVersion } }),
    ).rejects.toMatchObject(fault);
  }
});
