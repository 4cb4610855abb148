// Images as large as real ones: many small files and a few large ones, that compress to a third or so. The same
// options give the same bytes.

import { createHash, type Hash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { pack, type Pack } from 'tar-stream';

export interface LayerFile {
  readonly path: string;
  readonly digest: string;
  readonly diffId: string;
  readonly size: number;
  readonly tarBytes: number;
}

export interface LayerPlan {
  /** Tells its content from that of others. */
  readonly seed: string;
  readonly files: number;
  readonly bytes: number;
}

const FILES_PER_DIRECTORY = 40;
const WORDS = 4096;
/** The share that does not compress. */
const NOISE = 0.1;

/** Writes one layer, gzip as registries have it, to the file `path`. */
export async function writeLayer(path: string, plan: LayerPlan): Promise<LayerFile> {
  const tar = pack();
  const [plain, packed] = [new Meter(), new Meter()];
  const written = pipeline(tar, plain, createGzip({ level: 6 }), packed, createWriteStream(path));
  await addFiles(tar, plan);
  tar.finalize();
  await written;
  return { path, digest: packed.digest, diffId: plain.digest, size: packed.bytes, tarBytes: plain.bytes };
}

async function addFiles(tar: Pack, { seed, files, bytes }: LayerPlan): Promise<void> {
  const random = new Random(seed);
  const pool = textPool(random);
  const shares = Array.from({ length: files }, () => random.next() ** 8); // most are small, a few are large
  const scale = bytes / shares.reduce((sum, share) => sum + share, 0);
  for (const [index, share] of shares.entries()) {
    const directory = `usr/${seed}/${Math.floor(index / FILES_PER_DIRECTORY)}`;
    if (index % FILES_PER_DIRECTORY === 0) await add(tar, { name: `${directory}/`, type: 'directory' }, '');
    const data = content(pool, random, Math.ceil(share * scale));
    await add(tar, { name: `${directory}/file-${index}`, mode: 0o644 }, data);
  }
}

async function add(tar: Pack, header: Parameters<Pack['entry']>[0], data: Buffer | string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    tar.entry({ mtime: new Date(0), ...header }, data, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

/** Text and noise, a piece of each in turn. */
function content(pool: Buffer, random: Random, size: number): Buffer {
  const data = Buffer.alloc(size);
  for (let at = 0; at < size; at += 4096) {
    if (random.next() < NOISE) random.fill(data.subarray(at, at + 4096));
    else pool.copy(data, at, Math.floor(random.next() * (pool.length - 4096)), pool.length);
  }
  return data;
}

function textPool(random: Random): Buffer {
  const words = Array.from({ length: WORDS }, () => random.word());
  const text: string[] = [];
  for (let at = 0; at < 1 << 16; at++) text.push(words[Math.floor(random.next() ** 2 * WORDS)] ?? '');
  return Buffer.from(text.join(' '));
}

/** xorshift: quick, and the same each time. */
class Random {
  #state: number;

  constructor(seed: string) {
    this.#state = createHash('sha256').update(seed).digest().readUInt32LE() | 1;
  }

  next(): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) / 2 ** 32;
  }

  word(): string {
    return Math.floor(this.next() * 36 ** 7).toString(36);
  }

  fill(target: Buffer): void {
    for (let at = 0; at + 4 <= target.length; at += 4)
      target.writeUInt32LE(Math.floor(this.next() * 2 ** 32), at);
  }
}

/** Counts and hashes what goes through. */
class Meter extends Transform {
  bytes = 0;
  readonly #hash: Hash = createHash('sha256');

  override _transform(chunk: Buffer, _: string, done: (error: null, data: Buffer) => void): void {
    this.bytes += chunk.length;
    this.#hash.update(chunk);
    done(null, chunk);
  }

  get digest(): string {
    return `sha256:${this.#hash.digest('hex')}`;
  }
}
