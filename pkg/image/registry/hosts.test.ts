import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hostsOf } from './hosts.ts';

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'davit-test-hosts-'));
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

function write(name: string, text: string): void {
  mkdirSync(join(dir, name), { recursive: true });
  writeFileSync(join(dir, name, 'hosts.toml'), text);
}

test.each([
  ['docker.io', 'https://registry-1.docker.io/v2'],
  ['a.example', 'https://a.example/v2'],
  ['127.0.0.1:5000', 'http://127.0.0.1:5000/v2'],
  ['localhost:5000', 'http://localhost:5000/v2'],
  ['[::1]:5000', 'http://[::1]:5000/v2'],
  ['127.evil.example', 'https://127.evil.example/v2'],
])('without a file, %s is %s', async (registry, baseUrl) => {
  expect(await hostsOf(registry, [dir])).toMatchObject([{ baseUrl, isMirror: false }]);
});

test('hosts come in their order, the server last, each with its settings', async () => {
  writeFileSync(join(dir, 'ca.pem'), 'PEM');
  write(
    'a.example',
    `server = "https://upstream.example"
     [host."https://one.example"]
       capabilities = ["pull"]
       ca = "../ca.pem"
       dial_timeout = "1.5s"
       [host."https://one.example".header]
         x-team = "a"
     [host."http://two.example/mirror"]
       skip_verify = true
     [host."https://three.example/own/path"]
       override_path = true`,
  );
  const hosts = await hostsOf('a.example', [dir]);
  expect(hosts.map(({ baseUrl }) => baseUrl)).toEqual([
    'https://one.example/v2',
    'http://two.example/mirror/v2',
    'https://three.example/own/path',
    'https://upstream.example/v2',
  ]);
  expect(hosts[0]).toMatchObject({
    capabilities: new Set(['pull']),
    headers: { 'x-team': 'a' },
    connectTimeoutMs: 1500,
    tls: { ca: ['PEM'], skipVerify: false },
  });
  expect(hosts[1]).toMatchObject({ tls: { skipVerify: true }, isMirror: true });
});

test('_default is for registries without a folder, before the registry itself', async () => {
  write('_default', '[host."http://127.0.0.1:5000"]');
  write('127.0.0.1_6000_', 'server = "https://127.0.0.1:6000"');
  const baseUrls = async (registry: string) => (await hostsOf(registry, [dir])).map(({ baseUrl }) => baseUrl);
  expect(await baseUrls('registry.k8s.io')).toEqual([
    'http://127.0.0.1:5000/v2',
    'https://registry.k8s.io/v2',
  ]);
  expect(await baseUrls('127.0.0.1:6000')).toEqual(['https://127.0.0.1:6000/v2']);
});

test.each([
  ['server = ', 'hosts.toml'],
  ['[host."https://a.example"]\nca = "missing.pem"', 'missing.pem'],
  ['[host."https://a.example"]\ncapabilities = ["fly"]', 'capabilities'],
  ['server = "https://a b"', 'a b'],
])('a file that says %j is refused by name', async (text, why) => {
  write('a.example', text);
  await expect(hostsOf('a.example', [dir])).rejects.toThrow(
    expect.objectContaining({ code: 'failed_precondition', message: expect.stringContaining(why) as string }),
  );
});
