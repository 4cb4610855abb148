import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseReference } from '../reference.ts';
import { FakeRegistry } from '../testing/fake-registry.ts';
import { buildImage } from '../testing/test-image.ts';
import { RegistrySession } from './client.ts';
import type { RegistryAuth } from './credentials.ts';

const signal = new AbortController().signal;
const image = buildImage({ layers: [[{ name: 'a', content: 'x'.repeat(100_000) }]] });
const [layer] = image.layers as [(typeof image.layers)[0]];
const descriptor = { mediaType: layer.mediaType, digest: layer.digest, size: layer.data.length };
const login: RegistryAuth = {
  username: 'user',
  password: 'pass',
  auth: '',
  serverAddress: '',
  identityToken: '',
  registryToken: '',
};

let registry: FakeRegistry;
let certsDir: string;

beforeEach(async () => {
  registry = await FakeRegistry.start();
  registry.add('a/b', 'latest', image);
  certsDir = mkdtempSync(join(tmpdir(), 'davit-test-certs-'));
});
afterEach(async () => {
  await registry[Symbol.asyncDispose]();
  rmSync(certsDir, { recursive: true });
});

function open(auth?: RegistryAuth, name = `${registry.host}/a/b`): Promise<RegistrySession> {
  return RegistrySession.open({ certsDirs: [certsDir], retryDelayMs: 1 }, parseReference(name), auth);
}

function mirror(host: string, text: string): void {
  mkdirSync(join(certsDir, host));
  writeFileSync(join(certsDir, host, 'hosts.toml'), text);
}

async function readLayer(session: RegistrySession): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of session.open(descriptor, signal)) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** Asks for a bearer token, which `token` gives out or not. */
function requireToken(token: (authorization: string | undefined, body: string) => string | undefined): void {
  registry.override = (request, response, path) => {
    if (path.startsWith('/token')) {
      let body = '';
      request.on('data', (data: Buffer) => (body += data.toString()));
      request.on('end', () => {
        const given = token(request.headers.authorization, body);
        response.writeHead(given === undefined ? 401 : 200).end(JSON.stringify({ token: given }));
      });
      return true;
    }
    if (request.headers.authorization === 'Bearer good') return false;
    const challenge = `Bearer realm="http://${registry.host}/token",service="reg",scope="repository:a/b:pull"`;
    response.writeHead(401, { 'www-authenticate': challenge }).end();
    return true;
  };
}

const basic = `Basic ${btoa('user:pass')}`;

test('basic authentication is given when asked for', async () => {
  registry.override = (request, response) => {
    if (request.headers.authorization === basic) return false;
    response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
    return true;
  };
  await using session = await open(login);
  expect((await session.manifest('latest', signal)).digest).toBe(image.manifest.digest);
  expect(registry.headers[0]?.authorization).toBeUndefined();
});

test('a bearer token is fetched with the password once, and used for all that follows', async () => {
  requireToken((authorization) => (authorization === basic ? 'good' : undefined));
  await using session = await open(login);
  await session.manifest('latest', signal);
  expect(await readLayer(session)).toEqual(layer.data);
  expect(registry.requests.map((line) => line.split('/').slice(0, 3).join('/'))).toEqual([
    'GET a/b/manifests',
    'GET /token',
    'GET a/b/manifests',
    'GET a/b/blobs',
  ]);
});

test('a token that is refused in mid-pull is fetched anew', async () => {
  let given = 0;
  requireToken(() => (++given === 1 ? 'bad' : 'good'));
  await using session = await open(login);
  await expect(session.manifest('latest', signal)).rejects.toThrow('access denied');
  expect((await session.manifest('latest', signal)).digest).toBe(image.manifest.digest);
});

test('an identity token is exchanged by POST', async () => {
  requireToken((_, body) =>
    new URLSearchParams(body).get('refresh_token') === 'refresh' ? 'good' : undefined,
  );
  await using session = await open({ ...login, username: '', identityToken: 'refresh' });
  expect((await session.manifest('latest', signal)).digest).toBe(image.manifest.digest);
});

test('a token may come as OAuth2 calls it', async () => {
  registry.override = (request, response, path) => {
    if (request.headers.authorization === 'Bearer good') return false;
    const challenge = `Bearer realm="http://${registry.host}/token",service="reg"`;
    if (path.startsWith('/token')) response.end(JSON.stringify({ access_token: 'good' }));
    else response.writeHead(401, { 'www-authenticate': challenge }).end();
    return true;
  };
  await using session = await open(login);
  expect((await session.manifest('latest', signal)).digest).toBe(image.manifest.digest);
});

test('a registry token is used as it is', async () => {
  requireToken(() => undefined);
  await using session = await open({ ...login, registryToken: 'good' });
  expect((await session.manifest('latest', signal)).digest).toBe(image.manifest.digest);
});

test('a password is not sent to a realm that is not safe', async () => {
  registry.override = (_, response) => {
    response.writeHead(401, { 'www-authenticate': 'Bearer realm="http://evil.example/token"' }).end();
    return true;
  };
  await using session = await open(login);
  await expect(session.manifest('latest', signal)).rejects.toThrow(
    expect.objectContaining({
      code: 'failed_precondition',
      message: expect.stringContaining('not safe') as string,
    }),
  );
});

test.each([401, 403])('%i without a way to log in is access denied', async (status) => {
  registry.override = (_, response) => {
    response.writeHead(status).end();
    return true;
  };
  await using session = await open(login);
  await expect(session.manifest('latest', signal)).rejects.toThrow(
    expect.objectContaining({
      code: 'failed_precondition',
      message: expect.stringMatching(/access denied.*/) as string,
    }),
  );
});

test('a redirect to another host is followed without the login', async () => {
  await using storage = await FakeRegistry.start();
  storage.addBlob('a/b', layer);
  registry.override = (request, response, path) => {
    if (request.headers.authorization === undefined) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
      return true;
    }
    if (!path.includes('/blobs/')) return false;
    response.writeHead(307, { location: `http://${storage.host}/v2/${path}` }).end();
    return true;
  };
  await using session = await open(login);
  expect(await readLayer(session)).toEqual(layer.data);
  expect(storage.headers.map(({ authorization }) => authorization)).toEqual([undefined]);
});

test.each(['ftp://a.example/', 'http://user:x@127.0.0.1/', 'http://'])(
  'a redirect to %s is refused',
  async (location) => {
    registry.override = (_, response) => {
      response.writeHead(307, { location }).end();
      return true;
    };
    await using session = await open();
    await expect(session.manifest('latest', signal)).rejects.toThrow('redirects to a place that is not safe');
  },
);

test('a missing image is not found, by name', async () => {
  await using session = await open();
  await expect(session.manifest('v9', signal)).rejects.toThrow(
    expect.objectContaining({
      code: 'not_found',
      message: expect.stringContaining(`${registry.host}/a/b`) as string,
    }),
  );
});

test('a registry that is not there is unavailable, with host and cause', async () => {
  await using session = await open(undefined, '127.0.0.1:1/a/b');
  await expect(session.manifest('latest', signal)).rejects.toThrow(
    expect.objectContaining({
      code: 'unavailable',
      message: expect.stringMatching(/^RegistryUnavailable: .*127\.0\.0\.1:1.*ECONNREFUSED/) as string,
    }),
  );
});

test('503 is tried again, and then told', async () => {
  let left = 2;
  registry.override = (_, response) => {
    if (left-- <= 0) return false;
    response.writeHead(503, { 'retry-after': '0' }).end();
    return true;
  };
  await using session = await open();
  expect((await session.manifest('latest', signal)).digest).toBe(image.manifest.digest);
  left = 100;
  await expect(session.manifest('latest', signal)).rejects.toThrow(/^RegistryUnavailable: .*answered 503/);
});

test('a blob whose connection breaks is taken up where it broke', async () => {
  let breaks = 3;
  registry.override = (request, response, path) => {
    if (!path.includes('/blobs/') || breaks-- <= 0) return false;
    const from = Number(/\d+/.exec(request.headers.range ?? '0')?.[0]);
    response.writeHead(from > 0 ? 206 : 200, { 'content-length': layer.data.length - from });
    response.write(layer.data.subarray(from, from + 50), () => response.destroy());
    return true;
  };
  await using session = await open();
  expect(await readLayer(session)).toEqual(layer.data);
  expect(registry.headers.map(({ range }) => range)).toEqual([
    undefined,
    'bytes=50-',
    'bytes=100-',
    'bytes=150-',
  ]);
});

test('a host that does not do ranges is not believed to have gone on', async () => {
  let broken = false;
  registry.override = (_, response) => {
    response.writeHead(200, { 'content-length': layer.data.length });
    if (broken) response.end(layer.data);
    else response.write(layer.data.subarray(0, 60), () => response.destroy());
    broken = true;
    return true;
  };
  await using session = await open();
  expect(await readLayer(session)).toEqual(layer.data);
});

test.each([
  ['shorter', layer.data.subarray(0, 10), 'truncated'],
  ['longer', Buffer.concat([layer.data, Buffer.from('more')]), 'more than'],
])('a blob that is %s than declared is data loss', async (_, data, why) => {
  registry.addBlob('a/b', layer, data);
  await using session = await open();
  await expect(readLayer(session)).rejects.toThrow(
    expect.objectContaining({ code: 'data_loss', message: expect.stringContaining(why) as string }),
  );
});

test('a manifest that is not what its digest says is data loss', async () => {
  registry.addManifest('a/b', 'latest', { ...image.manifest, digest: `sha256:${'0'.repeat(64)}` });
  await using session = await open();
  await expect(session.manifest(`sha256:${'0'.repeat(64)}`, signal)).rejects.toThrow(
    expect.objectContaining({ code: 'data_loss' }),
  );
});

test('a mirror is asked first, and told for whom', async () => {
  mirror('registry.example', `[host."http://${registry.host}"]`);
  await using session = await open(undefined, 'registry.example/a/b');
  expect((await session.manifest('latest', signal)).digest).toBe(image.manifest.digest);
});

test('mirrors that fail are passed over, and all are named when none is left', async () => {
  await using empty = await FakeRegistry.start();
  mirror(
    'registry.example',
    `server = "http://${registry.host}"
     [host."http://127.0.0.1:1"]
     [host."http://${empty.host}"]
     [host."http://127.0.0.1:2"]
     capabilities = ["push"]`,
  );
  await using session = await open(undefined, 'registry.example/a/b');
  expect((await session.manifest('latest', signal)).digest).toBe(image.manifest.digest);
  await expect(session.manifest('v9', signal)).rejects.toThrow(
    expect.objectContaining({
      code: 'not_found',
      message: expect.stringMatching(
        new RegExp(
          `${empty.host}": answered 404.*127.0.0.1:1": .*ECONNREFUSED.*${registry.host}": answered 404`,
        ),
      ) as string,
    }),
  );
});

test('giving up ends a request that hangs', async () => {
  registry.override = () => true;
  const abort = new AbortController();
  await using session = await open();
  const asked = session.manifest('latest', abort.signal);
  abort.abort(new Error('left'));
  await expect(asked).rejects.toThrow('left');
});
