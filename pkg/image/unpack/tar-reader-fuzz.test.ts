// Tars that nobody would make, by the thousand: what is read is read whole or refused with a reason, in whichever
// pieces it comes.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Fault } from '../../base/fault.ts';
import { buildTar, type TarFile } from '../testing/tar.ts';
import { TarReader } from './tar-reader.ts';

const CODES = ['data_loss', 'unimplemented'];

/** All that the reader says, and the fault that ended it. */
function read(tar: Buffer, pieceBytes: number): { told: string[]; code: string | undefined } {
  const told: string[] = [];
  let data = Buffer.alloc(0);
  const reader = new TarReader({
    begin: ({ kind, name, linkName, sizeBytes }) =>
      told.push(JSON.stringify([kind, name, linkName, sizeBytes])),
    data: (piece) => (data = Buffer.concat([data, piece])),
    end: () => {
      told.push(data.toString('base64'));
      data = Buffer.alloc(0);
    },
  });
  try {
    for (let at = 0; at < tar.length; at += pieceBytes) reader.push(tar.subarray(at, at + pieceBytes));
    reader.finish();
    return { told, code: undefined };
  } catch (error) {
    if (error instanceof Fault) return { told, code: error.code };
    throw error;
  }
}

const latin1 = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) });
const file: fc.Arbitrary<TarFile> = fc.record(
  {
    name: fc.oneof(latin1, fc.constantFrom('a', '../a', '/a', 'a/../../b', '.wh.a', './', '')),
    kind: fc.constantFrom('file', 'hardlink', 'symlink', 'character', 'block', 'directory', 'fifo'),
    content: fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes)),
    linkName: latin1,
    pax: fc.dictionary(
      fc.constantFrom(
        'path',
        'linkpath',
        'size',
        'uid',
        'gid',
        'mtime',
        'SCHILY.xattr.user.a',
        'GNU.sparse.major',
      ),
      latin1,
    ),
    rawType: fc.constantFrom('0', '5', 'x', 'g', 'L', 'K', 'S', 'V', '7', 'Z', '\0'),
  },
  { requiredKeys: ['name'] },
);
/** Short enough for the fields of a header, as `buildTar()` wants them. */
const tar = fc
  .array(
    file.map((made) => ({
      ...made,
      name: made.name.slice(0, 99),
      linkName: (made.linkName ?? '').slice(0, 99),
    })),
    {
      maxLength: 6,
    },
  )
  .map(buildTar);

/** A tar, damaged here and there. */
const damaged = fc
  .tuple(tar, fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 8 }), fc.nat())
  .map(([bytes, changes, cut]) => {
    const copy = Buffer.from(bytes);
    for (const [at, value] of changes) copy[at % copy.length] = value;
    return cut % 3 === 0 ? copy.subarray(0, cut % copy.length) : copy;
  });

test('a tar, however odd or damaged, is read or refused, and the same in pieces of any size', () => {
  fc.assert(
    fc.property(fc.oneof(tar, damaged), fc.integer({ min: 1, max: 3000 }), (bytes, pieceBytes) => {
      const whole = read(bytes, bytes.length + 1);
      expect([undefined, ...CODES]).toContain(whole.code);
      expect(read(bytes, pieceBytes)).toEqual(whole);
    }),
    { numRuns: 2000 },
  );
});

test('noise is read or refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 4096 }), (bytes) => {
      expect([undefined, ...CODES]).toContain(read(Buffer.from(bytes), 512).code);
    }),
    { numRuns: 2000 },
  );
});
