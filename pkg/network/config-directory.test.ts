import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fingerprint, readConfigDirectory } from './config-directory.ts';

async function createDirectory(files: Readonly<Record<string, string>>) {
  const dir = await mkdtemp(join(tmpdir(), 'davit-test-conf-'));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(dir, name, '..'), { recursive: true });
    await writeFile(join(dir, name), text);
  }
  return { dir, [Symbol.asyncDispose]: () => rm(dir, { recursive: true }) };
}

function listText(name: string, more: object = { plugins: [{ type: 'x' }] }): string {
  return JSON.stringify({ cniVersion: '1.0.0', name, ...more });
}

test('readConfigDirectory() orders by name, whatever the kind of file', async () => {
  await using conf = await createDirectory({
    '30-c.conflist': listText('c'),
    '10-a.json': listText('a', { type: 'x' }),
    '20-b.conf': listText('b', { type: 'x' }),
    'readme.txt': 'not for us',
  });
  const { lists, problems } = await readConfigDirectory(conf.dir);
  expect([lists.map(({ name }) => name), problems]).toEqual([['a', 'b', 'c'], []]);
});

test('readConfigDirectory() reports files that it cannot use and reads on', async () => {
  await using conf = await createDirectory({
    '10-bad.conflist': '{',
    '20-good.conflist': listText('good'),
    '30-big.conflist': ' '.repeat(1024 * 1024 + 1),
    '40-empty.conflist': listText('empty', {}),
  });
  const { lists, problems } = await readConfigDirectory(conf.dir);
  expect(lists.map(({ name }) => name)).toEqual(['good']);
  expect(problems).toEqual([
    { file: join(conf.dir, '10-bad.conflist'), problem: expect.stringContaining('is not JSON') as string },
    { file: join(conf.dir, '30-big.conflist'), problem: 'it is larger than 1 MiB' },
    { file: join(conf.dir, '40-empty.conflist'), problem: 'there is no plugin in it' },
  ]);
});

test('readConfigDirectory() finds nothing in a directory that is not there', async () => {
  expect(await readConfigDirectory('/nowhere/at/all')).toEqual({ lists: [], problems: [] });
});

test('readConfigDirectory() adds the plugins from the folder of the network, unless told not to', async () => {
  await using conf = await createDirectory({
    '10-a.conflist': listText('a'),
    '20-b.conflist': listText('b', { plugins: [{ type: 'x' }], loadOnlyInlinedPlugins: true }),
    'a/2.conf': '{"type":"z"}',
    'a/1.conf': '{"type":"y"}',
    'b/1.conf': '{"type":"y"}',
  });
  const { lists } = await readConfigDirectory(conf.dir);
  expect(lists.map(({ plugins }) => plugins.map(({ type }) => type))).toEqual([['x', 'y', 'z'], ['x']]);
});

test.for(['10-a.conflist', 'a/1.conf', 'a/2.conf'])(
  'fingerprint() changes when "%s" is written',
  async (name) => {
    await using conf = await createDirectory({ '10-a.conflist': listText('a'), 'a/1.conf': '{"type":"y"}' });
    const before = await fingerprint(conf.dir);
    await writeFile(join(conf.dir, name), 'other');
    expect(await fingerprint(conf.dir)).not.toBe(before);
  },
);

test('fingerprint() stays the same while nothing changes', async () => {
  await using conf = await createDirectory({ '10-a.conflist': listText('a'), 'a/1.conf': '{"type":"y"}' });
  expect(await fingerprint(conf.dir)).toBe(await fingerprint(conf.dir));
});
