// Debian's docker-registry behind TLS, with certificates made here, and a hosts.toml that knows them.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { TLSSocket } from 'node:tls';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testCall } from '../base/testing/call.ts';
import type { Image } from './image.ts';
import { makeAuthority, makeCertificate, type Certificate } from '../sys/testing/certificates.ts';
import type { ProxySettings } from './registry/proxy.ts';
import { DockerRegistry } from './testing/docker-registry.ts';
import { ForwardProxy } from './testing/forward-proxy.ts';
import { TestImages } from './testing/open-images.ts';
import { pushImage } from './testing/push.ts';
import { buildImage, type TestImage } from './testing/test-image.ts';

let dir: string;
let plain: DockerRegistry;
let secure: DockerRegistry;
/** Asks for a certificate of its clients too. */
let mutual: DockerRegistry;
let authority: Certificate;
let server: Certificate;
let client: Certificate;
let built: TestImage;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'davit-test-tls-'));
  authority = await makeAuthority(dir);
  const names = 'subjectAltName = IP:127.0.0.1, IP:0.0.0.0, DNS:registry.example\n';
  server = await makeCertificate(dir, 'server', authority, names);
  client = await makeCertificate(dir, 'client', authority);
  plain = await DockerRegistry.start();
  built = buildImage({ layers: [[{ name: 'a' }]] });
  await pushImage(plain.host, 'tls/app', 'v1', built);
  const tls = { certificate: server.cert, key: server.key };
  secure = await DockerRegistry.start({ dataDir: plain.dataDir, tls });
  mutual = await DockerRegistry.start({
    dataDir: plain.dataDir,
    tls: { ...tls, clientcas: [authority.cert] },
  });
});
afterAll(async () => {
  for (const each of [mutual, secure, plain]) await each[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true });
});

/** @param settings what hosts.toml says of the host */
async function pull(host: string, settings: string, proxies?: ProxySettings): Promise<Image> {
  await using store = await TestImages.open((root) => ({
    registries: {
      certsDirs: [join(root, 'certs.d')],
      retryDelayMs: 1,
      ...(proxies !== undefined && { proxies }),
    },
  }));
  const folder = join(store.dir, 'certs.d', host);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'hosts.toml'), `server = "https://${host}"\n${settings}\n`);
  try {
    return await store.images.pull(testCall, { reference: `${host}/tls/app:v1` });
  } finally {
    const { layers, ingest } = await store.onDisk();
    expect({ layers: layers.length, ingest }).toEqual({ layers: store.images.list().length, ingest: [] });
  }
}

test('an authority that hosts.toml names is trusted', async () => {
  expect((await pull(secure.host, `ca = "${authority.cert}"`)).id).toBe(built.config.digest);
});

test('an authority that hosts.toml does not name is not trusted', async () => {
  await expect(pull(secure.host, '')).rejects.toThrow(
    expect.objectContaining({
      code: 'unavailable',
      message: expect.stringMatching(/^RegistryUnavailable: .*unable to verify|certificate/) as string,
    }),
  );
});

test('another authority than the one named is not trusted', async () => {
  const { cert } = await makeAuthority(dir, 'other');
  await expect(pull(secure.host, `ca = "${cert}"`)).rejects.toThrow(/^RegistryUnavailable: .*certificate/);
});

test('skip_verify trusts whoever answers', async () => {
  expect((await pull(secure.host, 'skip_verify = true')).id).toBe(built.config.digest);
});

test('a registry that wants to know its clients is shown the certificate', async () => {
  const settings = `ca = "${authority.cert}"\nclient = [["${client.cert}", "${client.key}"]]`;
  expect((await pull(mutual.host, settings)).id).toBe(built.config.digest);
});

test('a registry that wants to know its clients refuses one without a certificate', async () => {
  await expect(pull(mutual.host, `ca = "${authority.cert}"`)).rejects.toThrow(
    /^RegistryUnavailable: .*certificate/,
  );
});

test('a registry with TLS is pulled from through a proxy, which is given its login', async () => {
  await using proxy = await ForwardProxy.start(secure.host);
  const proxies = { http: '', https: `http://user:secret@${proxy.host}`, except: 'other.example' };
  const image = await pull('registry.example', `ca = "${authority.cert}"`, proxies);
  expect(image.id).toBe(built.config.digest);
  const login = `Basic ${btoa('user:secret')}`;
  expect(proxy.asked[0]).toEqual({ line: 'CONNECT registry.example:443', login });
});

test('behind a proxy the certificate is checked as ever', async () => {
  await using proxy = await ForwardProxy.start(secure.host);
  const proxies = { http: '', https: proxy.host, except: '' };
  await expect(pull('registry.example', '', proxies)).rejects.toThrow(/^RegistryUnavailable: .*certificate/);
  await expect(pull('wrong.example', `ca = "${authority.cert}"`, proxies)).rejects.toThrow(
    /^RegistryUnavailable: .*wrong\.example/,
  );
});

test('what NO_PROXY names is not asked through the proxy', async () => {
  await using proxy = await ForwardProxy.start(secure.host);
  const host = secure.host.replace('127.0.0.1', '0.0.0.0'); // leads here too, but is not known as loopback
  const proxies = { http: '', https: proxy.host, except: '0.0.0.0/8,registry.example' };
  expect((await pull(host, `ca = "${authority.cert}"`, proxies)).id).toBe(built.config.digest);
  expect(proxy.asked).toEqual([]);
  await pull(host, `ca = "${authority.cert}"`, { ...proxies, except: 'registry.example' });
  expect(proxy.asked.length).toBeGreaterThan(0);
});

test('whoever a registry sends us to is trusted by the same authority, and not shown our certificate', async () => {
  const shown: boolean[] = [];
  await using storage = await secureServer(mutualOptions(), (socket, path) => {
    shown.push(Object.keys(socket.getPeerCertificate()).length > 0);
    return { location: '', body: built.layers.find(({ digest }) => path.includes(digest))?.data };
  });
  await using front = await secureServer(mutualOptions(), (_, path) =>
    path.includes(`blobs/${built.layers[0]?.digest ?? ''}`)
      ? { location: `https://${storage.host}${path}` }
      : { location: `https://${secure.host}${path}` },
  );
  const settings = `ca = "${authority.cert}"\nclient = [["${client.cert}", "${client.key}"]]`;
  expect((await pull(front.host, settings)).id).toBe(built.config.digest);
  expect(shown).toEqual([false]);
});

function mutualOptions(): object {
  const read = (path: string) => readFileSync(path);
  return {
    cert: read(server.cert),
    key: read(server.key),
    ca: read(authority.cert),
    requestCert: true,
    rejectUnauthorized: false,
  };
}

/** Gives what `answer` says, or sends to where it says. */
async function secureServer(
  options: object,
  answer: (socket: TLSSocket, path: string) => { location: string; body?: Buffer | undefined },
): Promise<AsyncDisposable & { host: string }> {
  const listening: Server = createServer(options, (request, response) => {
    const { location, body } = answer(toSecure(request.socket), request.url ?? '');
    if (location === '') response.end(body);
    else response.writeHead(307, { location }).end();
  });
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(listening.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      listening.closeAllConnections();
      await new Promise((resolve) => listening.close(resolve));
    },
  };
}

function toSecure(socket: unknown): TLSSocket {
  if (socket instanceof TLSSocket) return socket;
  throw new Error('the connection is not secure');
}
