import { afterEach, beforeEach, expect, test } from 'vitest';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseReference } from '../reference.ts';
import { FakeRegistry } from '../testing/fake-registry.ts';
import { ForwardProxy } from '../testing/forward-proxy.ts';
import { buildImage } from '../testing/test-image.ts';
import { RegistrySession } from './client.ts';
import { proxiesFromEnvironment, proxyFor } from './proxy.ts';

const settings = { http: 'http://plain.proxy:3128', https: 'secure.proxy:3128', except: '' };

test.each([
  ['http://a.example/v2', '', 'http://plain.proxy:3128'],
  ['https://a.example/v2', '', 'http://secure.proxy:3128'],
  ['https://127.0.0.1:5000/v2', '', undefined],
  ['https://[::1]:5000/v2', '', undefined],
  ['https://localhost/v2', '', undefined],
  ['https://a.example/v2', '*', undefined],
  ['https://a.example/v2', 'b.example, a.example', undefined],
  ['https://a.b.example/v2', 'b.example', undefined],
  ['https://b.example/v2', '.b.example', 'http://secure.proxy:3128'],
  ['https://a.b.example/v2', '*.b.example', undefined],
  ['https://ab.example/v2', 'b.example', 'http://secure.proxy:3128'],
  ['https://a.example:5000/v2', 'a.example:5000', undefined],
  ['https://a.example/v2', 'a.example:443', undefined],
  ['https://a.example/v2', 'a.example:5000', 'http://secure.proxy:3128'],
  ['https://10.1.2.3/v2', '10.0.0.0/8', undefined],
  ['https://11.1.2.3/v2', '10.0.0.0/8', 'http://secure.proxy:3128'],
  ['https://10.1.2.3/v2', '10.1.2.3', undefined],
  ['https://[fd00::1]/v2', 'fd00::/8', undefined],
  ['https://[fd00::1]/v2', '[fd00::1]:443', undefined],
  ['https://a.example/v2', '10.0.0.0/8, fd00::/8, 10.0.0.0/99', 'http://secure.proxy:3128'],
])('%s with NO_PROXY=%s goes by %s', (url, except, expected) => {
  expect(proxyFor(new URL(url), { ...settings, except })).toBe(expected);
});

test('variables are read in upper case first, and may be missing', () => {
  expect(proxiesFromEnvironment({ HTTP_PROXY: 'a', http_proxy: 'b', https_proxy: 'c' })).toEqual({
    http: 'a',
    https: 'c',
    except: '',
  });
});

const image = buildImage({ layers: [[{ name: 'a' }]] });

let registry: FakeRegistry;
let proxy: ForwardProxy;
let certsDir: string;

beforeEach(async () => {
  registry = await FakeRegistry.start();
  registry.add('a/b', 'latest', image);
  proxy = await ForwardProxy.start(registry.host);
  certsDir = mkdtempSync(join(tmpdir(), 'davit-test-certs-'));
});
afterEach(async () => {
  await proxy[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
  rmSync(certsDir, { recursive: true });
});

function open(url: string): Promise<RegistrySession> {
  mkdirSync(join(certsDir, 'registry.example'));
  writeFileSync(join(certsDir, 'registry.example/hosts.toml'), `server = "${url}"`);
  const address = `http://user:secret@${proxy.host}`;
  const proxies = { http: address, https: address, except: '' };
  return RegistrySession.open(
    { certsDirs: [certsDir], retryDelayMs: 1, proxies },
    parseReference('registry.example/a/b'),
    undefined,
  );
}

const login = `Basic ${btoa('user:secret')}`;

test('a registry is asked through the proxy, which gets its login', async () => {
  await using session = await open('http://registry.example');
  const { digest } = await session.manifest('latest', new AbortController().signal);
  expect(digest).toBe(image.manifest.digest);
  expect(proxy.asked).toEqual([{ line: 'http://registry.example/v2/a/b/manifests/latest', login }]);
  expect(registry.headers.map((headers) => headers['proxy-authorization'])).toEqual([undefined]);
});

test('a registry with TLS is reached by a tunnel, and an error does not show the login', async () => {
  await using session = await open('https://registry.example');
  const asking = session.manifest('latest', new AbortController().signal); // it speaks no TLS
  await expect(asking).rejects.toThrow(
    expect.objectContaining({
      code: 'unavailable',
      message: expect.not.stringContaining('secret') as string,
    }),
  );
  expect(proxy.asked[0]).toEqual({ line: 'CONNECT registry.example:443', login });
});
