// Puts a blob that is no tar into the layer as it comes: blob → sha256 → one file.

import { createHash, type Hash } from 'node:crypto';
import { checkLimits, type UnpackLimits } from './limits.ts';
import type { PlacedFile, Unpacked } from './messages.ts';
import type { TreeWriter } from './tree-writer.ts';

/** Nobody may change it, and it is no program. */
const MODE = 0o444;

export class FileUnpacking {
  readonly #hash: Hash;
  readonly #algorithm: string;
  readonly #writer: TreeWriter;
  #sizeBytes = 0;

  /** This thread is confined to the layer's directory. @throws {Fault} resource_exhausted — it is too large */
  constructor(
    { path, sizeBytes }: PlacedFile,
    writer: TreeWriter,
    { blobAlgorithm: algorithm, limits }: { readonly blobAlgorithm: string; readonly limits: UnpackLimits },
  ) {
    this.#writer = writer;
    checkLimits(limits, { entries: 1, tarBytes: sizeBytes, blobBytes: sizeBytes });
    this.#algorithm = algorithm;
    this.#hash = createHash(algorithm);
    this.#writer.begin({
      kind: 'file',
      name: Buffer.from(path).toString('latin1'), // one character per byte
      linkName: '',
      mode: MODE,
      uid: 0,
      gid: 0,
      sizeBytes,
      mtimeNs: 0n,
      deviceMajor: 0,
      deviceMinor: 0,
      xattrs: [],
    });
  }

  take(chunk: Buffer): Promise<void> {
    this.#hash.update(chunk);
    this.#sizeBytes += chunk.length;
    this.#writer.data(chunk);
    return Promise.resolve();
  }

  end(): Promise<Unpacked> {
    this.#writer.end();
    const digest = `${this.#algorithm}:${this.#hash.digest('hex')}`;
    const tree = { ...this.#writer.finish(), impliedDirectories: [] }; // they lie on nothing to be like
    return Promise.resolve({
      kind: 'unpacked',
      blobDigest: digest,
      diffId: digest,
      tarBytes: this.#sizeBytes,
      tree,
    });
  }
}
