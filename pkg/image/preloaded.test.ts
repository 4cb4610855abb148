import { mkdtemp, readdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Log } from '../base/call.ts';
import { Database } from '../store/database.ts';
import { PreloadedImages } from './preloaded.ts';
import { toDockerArchive, toOciArchive } from './testing/image-archive.ts';
import { TestImages } from './testing/open-images.ts';
import { buildImage } from './testing/test-image.ts';

let store: TestImages;
let dbDir: string;
let db: Database;
let preloaded: PreloadedImages;
let events: string[];

const image = buildImage({ layers: [[{ name: 'a', content: 'x' }]] });
const other = buildImage({ layers: [[{ name: 'b', content: 'y' }]] });
const OLD = new Date('2026-01-01T00:00:00Z');
const pathOf = (name: string) => join(store.dir, 'images.d', name);

/** As a file that is copied and then moved into the folder: nobody writes to it there. */
async function moveIn(name: string, data: Buffer, mtime = OLD): Promise<void> {
  const path = join(store.dir, 'outside');
  await writeFile(path, data);
  await utimes(path, mtime, mtime);
  await rename(path, pathOf(name));
}

async function open(): Promise<void> {
  const note = (_: object, event: string) => {
    events.push(event);
  };
  const log: Log = { debug: note, info: note, warn: note, error: note };
  preloaded = await PreloadedImages.open({
    db,
    dir: join(store.dir, 'images.d'),
    images: {
      load: (call, path) => {
        events.push('load');
        return store.images.load(call, path);
      },
      isDamaged: (id) => store.images.isDamaged(id),
    },
    log,
    stableMs: 50,
  });
}

/** As after a restart of the daemon. */
async function reopen(): Promise<void> {
  await preloaded[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
  events = [];
  db = await Database.open(join(dbDir, 'db'));
  await open();
  await preloaded.start();
  await preloaded.settle();
}

const tags = () => store.images.list().flatMap(({ repoTags }) => repoTags);
const noticed = (wanted: () => unknown) => expect.poll(wanted, { interval: 20 });

beforeEach(async () => {
  store = await TestImages.open();
  dbDir = await mkdtemp(join(tmpdir(), 'davit-test-preloaded-'));
  db = await Database.open(join(dbDir, 'db'));
  events = [];
  await open();
});
afterEach(async () => {
  await preloaded[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
  await rm(dbDir, { recursive: true });
  await store[Symbol.asyncDispose]();
});

test.each([
  ['a.tar', toOciArchive(image, 'app:v1')],
  ['a.tar.gz', gzipSync(toDockerArchive(image, ['app:v1']))],
  ['a.tar.zst', zstdCompressSync(toOciArchive(image, 'app:v1'))],
])('%s that is there at the start is imported', async (name, data) => {
  await moveIn(name, data);
  await preloaded.start();
  await preloaded.settle();
  expect(tags()).toEqual(['docker.io/library/app:v1']);
  expect(preloaded.list()).toMatchObject([{ id: name, imageIds: [image.config.digest] }]);
});

test('one that is moved into the folder is imported then, other files are left alone', async () => {
  await preloaded.start();
  await moveIn('readme.txt', Buffer.from('hello'));
  await moveIn('.hidden.tar', Buffer.from('half of it'));
  await moveIn('a.tar', toOciArchive(image, 'app:v1'));
  await noticed(tags).toEqual(['docker.io/library/app:v1']);
  expect(preloaded.failures()).toEqual([]);
});

test('one that is being written is imported when it is complete', async () => {
  await preloaded.start();
  const data = toOciArchive(image, 'app:v1');
  await writeFile(pathOf('a.tar'), data.subarray(0, 1000));
  await writeFile(pathOf('a.tar'), data.subarray(1000), { flag: 'a' });
  await noticed(tags).toEqual(['docker.io/library/app:v1']);
  expect(preloaded.failures()).toEqual([]);
});

test('one that has not changed is not imported again, not even after its image was removed', async () => {
  await moveIn('a.tar', toOciArchive(image, 'app:v1'));
  await reopen();
  expect(events).toContain('load');
  await store.images.remove({ signal: new AbortController().signal, log: console }, 'app:v1');
  await reopen();
  expect({ events, tags: tags() }).toEqual({ events: [], tags: [] });
});

test('one that was changed is imported again', async () => {
  await moveIn('a.tar', toOciArchive(image, 'app:v1'));
  await reopen();
  await moveIn('a.tar', toOciArchive(other, 'app:v2'), new Date('2026-01-02T00:00:00Z'));
  await noticed(tags).toEqual(['docker.io/library/app:v1', 'docker.io/library/app:v2']);
});

test('one that went and came back is imported again', async () => {
  await moveIn('a.tar', toOciArchive(image, 'app:v1'));
  await reopen();
  await rm(pathOf('a.tar'));
  await noticed(() => preloaded.list()).toEqual([]);
  await moveIn('a.tar', toOciArchive(image, 'app:v1'));
  await noticed(() => preloaded.list().length).toBe(1);
  expect(events.filter((event) => event === 'load')).toHaveLength(2);
});

test('one that is damaged costs the others nothing, is told of once, and is tried again when it changes', async () => {
  await moveIn('a.tar', Buffer.from('no tar'));
  await moveIn('b.tar', toOciArchive(other, 'app:v2'));
  await reopen();
  await moveIn('a.tar', Buffer.from('no tar')); // the same again
  await moveIn('c.tar', toOciArchive(other, 'app:v3'));
  await noticed(() => preloaded.list().length).toBe(2);
  expect(preloaded.failures()).toMatchObject([{ file: 'a.tar' }]);
  expect(events.filter((event) => event === 'preloaded images not imported')).toHaveLength(1);
  await moveIn('a.tar', toOciArchive(image, 'app:v1'));
  await noticed(() => preloaded.failures()).toEqual([]);
});

test('one that could not be imported is tried again when that may have changed', async () => {
  await moveIn('a.tar', Buffer.from('no archive'));
  await preloaded.start();
  await noticed(() => preloaded.failures()).toMatchObject([{ file: 'a.tar' }]);
  await preloaded.settle();
  const before = events.filter((event) => event === 'load').length;
  preloaded.retryFailed();
  await preloaded.settle();
  expect(events.filter((event) => event === 'load')).toHaveLength(before + 1);
  expect(preloaded.failures()).toMatchObject([{ file: 'a.tar' }]);
});

test('one whose image has been found damaged is imported again', async () => {
  await moveIn('a.tar', toOciArchive(image, 'app:v1'));
  await preloaded.start();
  await noticed(tags).toEqual(['docker.io/library/app:v1']);
  await preloaded.settle();
  const [layer = ''] = await readdir(join(store.root, 'layers'));
  await rm(join(store.root, 'layers', layer), { recursive: true });
  await store.reopen();
  const [damaged] = store.images.list();
  expect(store.images.isDamaged(damaged!.id)).toBe(true);
  preloaded.lookAgain();
  await noticed(() => store.images.isDamaged(damaged!.id)).toBe(false);
});
