// Layers made to escape, put together at random from what escapes are made of: nothing outside is touched, and
// what is refused is refused with a reason.

import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Fault } from '../base/fault.ts';
import { listTree } from './testing/list-tree.ts';
import { buildTar, type TarFile } from './testing/tar.ts';
import { UnpackThread } from './unpack-thread.ts';
import type { Unpacked } from './unpack/messages.ts';
import { verifyLayer } from './verify-thread.ts';
import { DEFAULT_LIMITS } from './unpack/limits.ts';

const digest = `sha256:${'0'.repeat(64)}`;
const signal = new AbortController().signal;

const part = fc.constantFrom(
  'a',
  'b',
  'c',
  '.',
  '..',
  '',
  'outside',
  '.wh.a',
  '.wh..wh..opq',
  '\xff',
  'x'.repeat(40),
);
const path = fc
  .tuple(fc.constantFrom('', '/', '../', '../../outside/'), fc.array(part, { minLength: 1, maxLength: 4 }))
  .map(([start, parts]) => start + parts.join('/'));

const file: fc.Arbitrary<TarFile> = fc.record(
  {
    name: path.map((text) => text.slice(0, 99)),
    kind: fc.constantFrom('file', 'hardlink', 'symlink', 'symlink', 'directory', 'character', 'fifo'),
    linkName: path.map((text) => text.slice(0, 99)),
    content: fc.constantFrom('', 'x', 'y'.repeat(5000)),
    mode: fc.constantFrom(0o755, 0o4711, 0, 0o7777),
    pax: fc.dictionary(
      fc.constantFrom(
        'SCHILY.xattr.user.a',
        'SCHILY.xattr.trusted.overlay.opaque',
        'SCHILY.xattr.security.x',
        'mtime',
      ),
      fc.constantFrom('', 'y', '-1.5', '99999999999999999999', 'x'.repeat(300)),
      { maxKeys: 1 },
    ),
  },
  { requiredKeys: ['name', 'kind', 'linkName'] },
);

async function unpack(layer: string, tar: Buffer): Promise<Unpacked | Fault> {
  await using thread = new UnpackThread();
  const chunks = (async function* () {
    yield await Promise.resolve(tar);
  })();
  const order = {
    directory: layer,
    inventory: `${layer}.inventory`,
    chunks,
    blobDigest: digest,
    diffId: digest,
    limits: DEFAULT_LIMITS,
  };
  return await thread.unpack(order, signal).catch((error: unknown) => Fault.from(error));
}

async function problemsOf(layer: string, { tree }: Unpacked): Promise<unknown> {
  const order = { directory: layer, inventory: `${layer}.inventory`, digest: tree.inventory };
  return (await verifyLayer({ ...order, depth: 'content' }, signal)).problems;
}

/** Unpacks into an empty directory that has something beside it, which must not change. */
async function tryOut(
  files: readonly TarFile[],
  look: (dir: string, result: Unpacked | Fault) => Promise<void>,
): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'davit-test-fuzz-'));
  try {
    for (const name of ['layer', 'outside', 'outside/a']) mkdirSync(join(dir, name));
    writeFileSync(join(dir, 'outside/b'), 'untouched');
    const before = listTree(join(dir, 'outside'));
    const result = await unpack(join(dir, 'layer'), buildTar(files));
    expect(listTree(join(dir, 'outside'))).toEqual(before);
    expect(readdirSync(dir).sort()).toEqual(['layer', 'layer.inventory', 'outside']);
    await look(dir, result);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

const layers = fc.array(file, { minLength: 1, maxLength: 12 });

test('whatever a layer says, nothing outside of its directory changes', async () => {
  const property = fc.asyncProperty(layers, (files) =>
    tryOut(files, async (_, result) => {
      if (result instanceof Fault) expect(['data_loss', 'unimplemented']).toContain(result.code);
      else expect(result).toMatchObject({ kind: 'unpacked' });
    }),
  );
  await fc.assert(property, { numRuns: 100 });
});

test('whatever a layer says, its inventory agrees with it', async () => {
  const property = fc.asyncProperty(layers, (files) =>
    tryOut(files, async (dir, result) => {
      if (!(result instanceof Fault)) expect(await problemsOf(join(dir, 'layer'), result)).toEqual([]);
    }),
  );
  await fc.assert(property, { numRuns: 30 });
});
