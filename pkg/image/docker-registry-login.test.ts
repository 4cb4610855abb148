// Debian's docker-registry with logins: htpasswd, and tokens of a server beside it.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testCall } from '../base/testing/call.ts';
import type { Image } from './image.ts';
import type { RegistryAuth } from './registry/credentials.ts';
import { makeAuthority } from '../sys/testing/certificates.ts';
import { DockerRegistry } from './testing/docker-registry.ts';
import { FaultProxy } from './testing/fault-proxy.ts';
import { TestImages } from './testing/open-images.ts';
import { pushImage } from './testing/push.ts';
import { buildImage, type TestImage } from './testing/test-image.ts';
import { TokenServer } from './testing/token-server.ts';

/** bcrypt of `pass`, the only form that docker-registry takes. */
const HTPASSWD = 'user:$2b$05$abcdefghijklmnopqrstuuZFBUbfXoM8LFiPx8LYlO/sXZB/Cwk3K\n';
const NOTHING: RegistryAuth = {
  username: '',
  password: '',
  auth: '',
  serverAddress: '',
  identityToken: '',
  registryToken: '',
};
const LOGIN: RegistryAuth = { ...NOTHING, username: 'user', password: 'pass' };

let dir: string;
let open: DockerRegistry;
let tokens: TokenServer;
let withPassword: DockerRegistry;
let withTokens: DockerRegistry;
let built: TestImage;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'davit-test-login-'));
  open = await DockerRegistry.start();
  built = buildImage({ layers: [[{ name: 'a' }], [{ name: 'b' }]] });
  await pushImage(open.host, 'private/app', 'v1', built);
  writeFileSync(join(dir, 'htpasswd'), HTPASSWD);
  tokens = await TokenServer.start(await makeAuthority(dir));
  const { dataDir } = open;
  const htpasswd = { realm: 'test', path: join(dir, 'htpasswd') };
  withPassword = await DockerRegistry.start({ dataDir, auth: { htpasswd } });
  withTokens = await DockerRegistry.start({ dataDir, auth: tokens.auth });
});
afterAll(async () => {
  for (const each of [withTokens, withPassword, tokens, open]) await each[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true });
});

async function pull(host: string, auth?: RegistryAuth): Promise<Image> {
  await using store = await TestImages.open();
  try {
    return await store.images.pull(testCall, { reference: `${host}/private/app:v1`, auth });
  } finally {
    const { layers, ingest } = await store.onDisk();
    expect({ layers: layers.length, ingest }).toEqual({ layers: store.images.list().length * 2, ingest: [] });
  }
}

test.each<[string, RegistryAuth]>([
  ['user name and password', LOGIN],
  ['one string of both', { ...NOTHING, auth: btoa('user:pass') }],
])('docker-registry takes %s', async (_, auth) => {
  expect((await pull(withPassword.host, auth)).id).toBe(built.config.digest);
});

test.each<[string, RegistryAuth | undefined]>([
  ['nothing', undefined],
  ['a wrong password', { ...LOGIN, password: 'wrong-secret' }],
  ['a login for another host', { ...LOGIN, serverAddress: 'other.example' }],
])('docker-registry refuses %s', async (_, auth) => {
  const failure: unknown = await pull(withPassword.host, auth).catch((error: unknown) => error);
  expect(failure).toMatchObject({
    code: 'failed_precondition',
    message: expect.stringMatching(/access denied \(401\)/) as string,
  });
  expect(String(failure)).not.toContain('secret');
});

test('docker-registry takes a token that everyone gets', async () => {
  tokens.login = undefined;
  expect((await pull(withTokens.host)).id).toBe(built.config.digest);
});

test('docker-registry takes a token got by password, one for the whole pull', async () => {
  tokens.login = 'user:pass';
  tokens.given = 0;
  expect((await pull(withTokens.host, LOGIN)).id).toBe(built.config.digest);
  expect(tokens.given).toBe(1);
});

test('a token that is not to be had is access denied', async () => {
  tokens.login = 'user:pass';
  await expect(pull(withTokens.host, { ...LOGIN, password: 'wrong' })).rejects.toThrow(
    /access denied \(401\)/,
  );
});

test('a token that is no longer taken in the middle of a pull is fetched anew', async () => {
  tokens.login = 'user:pass';
  tokens.given = 0;
  await using proxy = await FaultProxy.start(withTokens.host);
  let old: string | undefined;
  proxy.misbehave = (path, _, { headers }) => {
    if (!path.includes('/blobs/')) old = headers.authorization;
    if (!path.includes('/blobs/') || headers.authorization !== old) return undefined;
    const { realm, service } = (tokens.auth as { token: Record<string, string> }).token;
    const challenge = `Bearer realm="${realm}",service="${service}",scope="repository:private/app:pull"`;
    return { kind: 'answer', status: 401, headers: { 'www-authenticate': challenge } };
  };
  expect((await pull(proxy.host, LOGIN)).id).toBe(built.config.digest);
  expect(tokens.given).toBe(2);
});
