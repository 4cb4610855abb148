import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { silentLog } from '../base/testing/call.ts';
import { listFiles, readSmallFile, WatchedFolders } from './watched-folders.ts';

const directory = mkdtempSync(join(tmpdir(), 'davit-test-'));
afterAll(() => {
  rmSync(directory, { recursive: true });
});

function folder(name: string): string {
  const path = join(directory, name);
  mkdirSync(path);
  return path;
}

async function open(folders: readonly string[]): Promise<WatchedFolders<string[]>> {
  const read = async () => (await Promise.all(folders.map((one) => listFiles(one, ['.json'])))).flat();
  return await WatchedFolders.open({ folders, read, onChange: () => undefined, log: silentLog });
}

test('the value follows what is put into the folders', async () => {
  const [one, two] = [folder('one'), folder('two')];
  writeFileSync(join(one, 'a.json'), '');
  await using watched = await open([one, two]);
  expect(watched.current).toEqual(['a.json']);
  writeFileSync(join(two, 'b.json'), '');
  await expect.poll(() => watched.current).toEqual(['a.json', 'b.json']);
});

test('refresh() finds a folder that was made later, and watches it from then on', async () => {
  const late = join(directory, 'late/deep');
  await using watched = await open([late]);
  mkdirSync(late, { recursive: true });
  writeFileSync(join(late, 'a.json'), '');
  await watched.refresh();
  expect(watched.current).toEqual(['a.json']);
  writeFileSync(join(late, 'b.json'), '');
  await expect.poll(() => watched.current).toEqual(['a.json', 'b.json']);
});

test('refresh() reads nothing when nothing has changed', async () => {
  const one = folder('same');
  const read = vi.fn(() => Promise.resolve('value'));
  await using watched = await WatchedFolders.open({
    folders: [one],
    read,
    onChange: () => undefined,
    log: silentLog,
  });
  await watched.refresh();
  expect(read).toHaveBeenCalledTimes(1);
});

test('a file that is no file, or too large, is refused', async () => {
  const path = join(folder('large'), 'x.json');
  writeFileSync(path, Buffer.alloc(1024 * 1024 + 1));
  await expect(readSmallFile(path)).rejects.toThrow('larger than 1 MiB');
  await expect(readSmallFile(directory)).rejects.toThrow('not a regular file');
});
