// Pulls from Debian's docker-registry over a network that misbehaves: what can succeed does, the rest is told
// exactly, and nothing stays behind.

import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { testCall } from '../base/testing/call.ts';
import type { Image } from './image.ts';
import type { ImagesOptions } from './images.ts';
import { DockerRegistry } from './testing/docker-registry.ts';
import { FaultProxy, type Misbehaviour, type NetworkFault } from './testing/fault-proxy.ts';
import { TestImages } from './testing/open-images.ts';
import { pushImage } from './testing/push.ts';
import { buildImage, type TestBlob, type TestImage } from './testing/test-image.ts';

const LAYER_BYTES = 400_000;
const NAME = 'registry.example/faults/app:v1';

let registry: DockerRegistry;
let built: TestImage;
let layer: TestBlob;
let store: TestImages;
let mirror: FaultProxy;
let upstream: FaultProxy;

beforeAll(async () => {
  registry = await DockerRegistry.start();
  built = buildImage({ layers: [[{ name: 'data', content: randomBytes(LAYER_BYTES) }]] });
  [layer] = built.layers as [TestBlob];
  await pushImage(registry.host, 'faults/app', 'v1', built);
});
afterAll(() => registry[Symbol.asyncDispose]());

beforeEach(async () => {
  store = await openStore();
  [mirror, upstream] = [await FaultProxy.start(registry.host), await FaultProxy.start(registry.host)];
  useHosts({ mirrored: false });
});
afterEach(async () => {
  const { layers, ingest } = await store.onDisk();
  expect({ layers: layers.length, ingest }).toEqual({ layers: store.images.list().length, ingest: [] });
  for (const each of [store, mirror, upstream]) await each[Symbol.asyncDispose]();
});

function openStore(
  options: Partial<ImagesOptions> = {},
  minRate = { bytesPerSecond: 100_000, windowMs: 200 },
): Promise<TestImages> {
  return TestImages.open((dir) => ({
    ...options,
    registries: {
      certsDirs: [join(dir, 'certs.d')],
      retryDelayMs: 1,
      minRate,
    },
  }));
}

/** Read for each pull: it takes no restart. */
function useHosts({ mirrored, of = store }: { mirrored: boolean; of?: TestImages }): void {
  const dir = join(of.dir, 'certs.d/registry.example');
  mkdirSync(dir, { recursive: true });
  const host = mirrored ? `[host."http://${mirror.host}"]\n` : '';
  writeFileSync(join(dir, 'hosts.toml'), `server = "http://${upstream.host}"\n${host}`);
}

function pull(): Promise<Image> {
  return store.images.pull(testCall, { reference: NAME });
}

async function failureOf(pulling: Promise<Image>): Promise<{ code: string; message: string }> {
  const error: unknown = await pulling.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  const { code, message } = error as { code: string; message: string };
  return { code, message };
}

const isLayer = (path: string) => path.endsWith(`blobs/${layer.digest}`);
const onLayer =
  (fault: (nth: number) => NetworkFault | undefined): Misbehaviour =>
  (path, nth) =>
    isLayer(path) ? fault(nth) : undefined;
const layerRanges = (proxy: FaultProxy) =>
  proxy.seen.filter(({ path }) => isLayer(path)).map(({ headers }) => headers.range);

test.each<[string, Misbehaviour, (string | undefined)[]]>([
  [
    'the connection breaks, again and again',
    onLayer((nth) => (nth <= 4 ? { kind: 'cut', afterBytes: 60_000 } : undefined)),
    [undefined, 'bytes=60000-', 'bytes=120000-', 'bytes=180000-', 'bytes=240000-'],
  ],
  [
    'the answer ends too early',
    onLayer((nth) => (nth === 1 ? { kind: 'truncate', bytes: 100_000 } : undefined)),
    [undefined, 'bytes=100000-'],
  ],
  [
    'the connection breaks before each answer',
    (_, nth) => (nth <= 2 ? { kind: 'reset' } : undefined),
    [undefined, undefined, undefined],
  ],
  [
    'each answer is 500 first',
    (_, nth) => (nth <= 2 ? { kind: 'answer', status: 500 } : undefined),
    [undefined, undefined, undefined],
  ],
  ['answers come late', () => ({ kind: 'delay', ms: 100 }), [undefined]],
  [
    'bytes come slowly and no other host has them',
    onLayer(() => ({ kind: 'drip', bytes: 8_000, everyMs: 20 })),
    [undefined],
  ],
])('a pull succeeds although %s', async (_, misbehave, ranges) => {
  upstream.misbehave = misbehave;
  expect((await pull()).id).toBe(built.config.digest);
  expect(layerRanges(upstream)).toEqual(ranges);
});

test('429 is obeyed: nothing is asked again before the time is over', async () => {
  let refusedAt = 0;
  let askedAgainAt = 0;
  upstream.misbehave = onLayer((nth) => {
    if (nth > 1) askedAgainAt = performance.now();
    else refusedAt = performance.now();
    return nth === 1 ? { kind: 'answer', status: 429, headers: { 'retry-after': '1' } } : undefined;
  });
  await pull();
  expect(askedAgainAt - refusedAt).toBeGreaterThan(950);
});

test.each<[string, Misbehaviour, string, RegExp]>([
  [
    'bytes are changed on the way',
    onLayer(() => ({ kind: 'corrupt', at: 5_000 })),
    'data_loss',
    /layer "sha256:/,
  ],
  [
    'the answer always ends too early',
    onLayer((nth) => (nth === 1 ? { kind: 'truncate', bytes: 1000 } : { kind: 'truncate', bytes: 0 })),
    'data_loss',
    /blob "sha256:.*" of "registry\.example\/faults\/app:v1": "http:.*": it is truncated, 1000 of \d+ bytes came/,
  ],
  [
    'the connection always breaks',
    onLayer((nth) => ({ kind: 'cut', afterBytes: nth === 1 ? 1000 : 0 })),
    'unavailable',
    /^RegistryUnavailable: cannot pull blob "sha256:.*: "http:.*": broke off after 1000 of \d+ bytes: /,
  ],
  [
    'every answer is 500',
    () => ({ kind: 'answer', status: 500 }),
    'unavailable',
    /^RegistryUnavailable: .*answered 500/,
  ],
  [
    'every answer is 429',
    () => ({ kind: 'answer', status: 429 }),
    'unavailable',
    /^RegistryUnavailable: .*answered 429/,
  ],
  [
    'the layer is not there',
    onLayer(() => ({ kind: 'answer', status: 404 })),
    'not_found',
    /cannot find blob "sha256:/,
  ],
  [
    'the layer may not be had',
    onLayer(() => ({ kind: 'answer', status: 403 })),
    'failed_precondition',
    /access denied \(403\)/,
  ],
])('a pull is refused when %s', async (_, misbehave, code, message) => {
  upstream.misbehave = misbehave;
  const failure = await failureOf(pull());
  expect(failure).toEqual({ code, message: expect.stringMatching(message) as string });
  expect(store.images.list()).toEqual([]);
});

test('what failed succeeds when it is tried again', async () => {
  upstream.misbehave = onLayer(() => ({ kind: 'corrupt', at: 5_000 }));
  await failureOf(pull());
  upstream.misbehave = () => undefined;
  expect((await pull()).id).toBe(built.config.digest);
});

test.each<[string, NetworkFault]>([
  ['crawls', { kind: 'drip', bytes: 500, everyMs: 20 }],
  ['stalls', { kind: 'stall', afterBytes: 50_000 }],
  ['breaks', { kind: 'cut', afterBytes: 50_000 }],
])(
  'a mirror that %s in the middle of a layer is left, and the next goes on where it was',
  async (_, fault) => {
    useHosts({ mirrored: true });
    mirror.misbehave = onLayer((nth) => (nth > 1 && fault.kind === 'cut' ? { kind: 'reset' } : fault));
    expect((await pull()).id).toBe(built.config.digest);
    expect(layerRanges(upstream)).toEqual([expect.stringMatching(/^bytes=[1-9]\d*-$/)]);
  },
);

test('a mirror that crawls is taken again when no other host has the layer', async () => {
  useHosts({ mirrored: true });
  mirror.misbehave = onLayer((nth) => (nth === 1 ? { kind: 'drip', bytes: 500, everyMs: 20 } : undefined));
  upstream.misbehave = onLayer(() => ({ kind: 'answer', status: 404 }));
  expect((await pull()).id).toBe(built.config.digest);
  expect(layerRanges(mirror)).toEqual([undefined, expect.stringMatching(/^bytes=[1-9]\d*-$/)]);
});

test('every host that was tried is named, with what it said', async () => {
  useHosts({ mirrored: true });
  mirror.misbehave = onLayer(() => ({ kind: 'answer', status: 500 }));
  upstream.misbehave = onLayer(() => ({ kind: 'answer', status: 404 }));
  expect(await failureOf(pull())).toEqual({
    code: 'not_found',
    message:
      `cannot find blob "${layer.digest}" of "${NAME}": ` +
      `"http://${mirror.host}": answered 500; "http://${upstream.host}": answered 404`,
  });
});

const corrupt = onLayer(() => ({ kind: 'corrupt', at: 5_000 }));
const missing = onLayer(() => ({ kind: 'answer', status: 404 }));

test('a layer that a mirror has damaged is fetched from the next host, from its beginning', async () => {
  useHosts({ mirrored: true });
  mirror.misbehave = corrupt;
  expect((await pull()).id).toBe(built.config.digest);
  expect([layerRanges(mirror), layerRanges(upstream)]).toEqual([[undefined], [undefined]]);
});

test.each<[string, Misbehaviour, string, string]>([
  ['damaged by the next host too', corrupt, 'data_loss', 'cannot (use|unpack) layer "sha256:.*'],
  ['not to be had from the next', missing, 'not_found', 'answered 404'],
])('a layer that is damaged by a mirror and %s fails, with what each said', async (_, next, code, said) => {
  useHosts({ mirrored: true });
  mirror.misbehave = corrupt;
  upstream.misbehave = next;
  const failure = await failureOf(pull());
  expect(failure.code).toBe(code);
  const first = `"http://${mirror.host}": cannot (use|unpack) layer "${layer.digest}": .*`;
  expect(failure.message).toMatch(new RegExp(`of "${NAME}": ${first}; "http://${upstream.host}": ${said}$`));
  expect(layerRanges(mirror)).toHaveLength(1);
});

test('a layer whose parts came from two hosts and do not fit is fetched from the last of them alone', async () => {
  useHosts({ mirrored: true });
  let isFirst = true;
  mirror.misbehave = onLayer(() => {
    const fault: NetworkFault = isFirst
      ? { kind: 'cut', afterBytes: 60_000, corruptAt: 5000 }
      : { kind: 'reset' };
    isFirst = false;
    return fault;
  });
  expect((await pull()).id).toBe(built.config.digest);
  expect(layerRanges(upstream)).toEqual(['bytes=60000-', undefined]);
});

test.each<[string, (path: string) => boolean]>([
  ['manifest', (path) => path.includes('/manifests/')],
  ['config', (path) => path.endsWith(`blobs/${built.config.digest}`)],
])('a %s that a mirror has damaged is fetched from the next host', async (_, isIt) => {
  useHosts({ mirrored: true });
  mirror.misbehave = (path) => (isIt(path) ? { kind: 'corrupt', at: 10 } : undefined);
  expect((await pull()).id).toBe(built.config.digest);
  expect(upstream.seen.some(({ path }) => isIt(path))).toBe(true);
});

test('a mirror that crawled with one layer is not asked for the next', async () => {
  const two = buildImage({
    layers: [1, 2].map((name) => [{ name: `${name}`, content: randomBytes(200_000) }]),
  });
  await pushImage(registry.host, 'faults/app', 'two', two);
  await using one = await openStore(
    { concurrency: { downloads: 1, unpacks: 1 } },
    { bytesPerSecond: 1000, windowMs: 1000 },
  );
  useHosts({ mirrored: true, of: one });
  const isOfTwo = (path: string) => two.layers.some(({ digest }) => path.endsWith(digest));
  mirror.misbehave = (path) => (isOfTwo(path) ? { kind: 'stall', afterBytes: 500 } : undefined);
  await one.images.pull(testCall, { reference: 'registry.example/faults/app:two' });
  expect(mirror.seen.filter(({ path }) => isOfTwo(path))).toHaveLength(1);
  expect(upstream.seen.filter(({ path }) => isOfTwo(path))).toHaveLength(2);
});

test('a changed hosts.toml holds for the next pull', async () => {
  upstream.misbehave = () => ({ kind: 'answer', status: 404 });
  expect((await failureOf(pull())).code).toBe('not_found');
  useHosts({ mirrored: true });
  expect((await pull()).id).toBe(built.config.digest);
});

test('a registry that sends us to another host for layers does not make us tell it who we are', async () => {
  upstream.misbehave = (path, _, { headers }) => {
    if (headers.authorization === undefined)
      return { kind: 'answer', status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } };
    if (!isLayer(path)) return undefined;
    return { kind: 'answer', status: 307, headers: { location: `http://${mirror.host}/v2/${path}` } };
  };
  const auth = {
    username: 'user',
    password: 'secret',
    auth: '',
    serverAddress: '',
    identityToken: '',
    registryToken: '',
  };
  await store.images.pull(testCall, { reference: NAME, auth });
  expect(mirror.seen.map(({ path }) => isLayer(path))).toEqual([true]);
  expect(JSON.stringify(mirror.seen)).not.toContain(btoa('user:secret'));
});

test('a pull that its caller gives up while nothing comes leaves nothing', async () => {
  upstream.misbehave = onLayer(() => ({ kind: 'stall', afterBytes: 50_000 }));
  const caller = new AbortController();
  const pulling = store.images.pull({ ...testCall, signal: caller.signal }, { reference: NAME });
  await expect.poll(() => layerRanges(upstream)).toHaveLength(1);
  caller.abort(new Error('left'));
  await expect(pulling).rejects.toThrow('left');
});
