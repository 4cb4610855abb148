// The files of an archive, to be read in any order: the index may stand at its end, and layers may be links to
// others. A compressed archive is first written out. Names from it never become names on disk.

import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, open } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, type Extract } from 'tar-stream';
import { Fault } from '../../base/fault.ts';
import { isErrno } from '../../sys/errno.ts';
import { removeTree } from '../../sys/files.ts';
import { readBody } from '../registry/body.ts';
import { CHUNK_BYTES, createDecompressor, isGzip } from '../unpack/decompress.ts';
import { isZstd } from '../unpack/zstd-frames.ts';

const MAX_FILES = 100_000;
const MAX_LINKS = 16;

/** Where the bytes of a file are. */
interface Extent {
  readonly offset: number;
  readonly sizeBytes: number;
}

export class ArchiveFiles implements AsyncDisposable {
  /** Of a plain tar. */
  readonly #tarPath: string;
  /** Holds it, if we made it. */
  readonly #dir: string | undefined;
  readonly #files = new Map<string, Extent>();
  readonly #links = new Map<string, string>();

  private constructor(tarPath: string, dir: string | undefined) {
    this.#tarPath = tarPath;
    this.#dir = dir;
  }

  /** @throws {Fault} not_found — no such file; invalid_argument — it is no tar */
  static async open(archivePath: string, ingestDir: string, signal: AbortSignal): Promise<ArchiveFiles> {
    const head = await readHead(archivePath);
    const dir = isCompressed(head) ? await mkdtemp(join(ingestDir, 'archive-')) : undefined;
    const files = new ArchiveFiles(dir === undefined ? archivePath : join(dir, 'tar'), dir);
    try {
      if (dir !== undefined) await writeOut(archivePath, head, { to: files.#tarPath, signal });
      await files.#index(signal);
      return files;
    } catch (error) {
      await files[Symbol.asyncDispose]();
      signal.throwIfAborted();
      if (Fault.is(error, 'resource_exhausted') || isErrno(error, 'ENOSPC', 'EDQUOT', 'EIO')) throw error;
      const why = error instanceof Error ? error.message : String(error);
      throw new Fault('invalid_argument', `cannot read archive "${archivePath}": ${why}`, { cause: error });
    }
  }

  has(name: string): boolean {
    return this.#find(name) !== undefined;
  }

  /** @throws {Fault} data_loss — it is missing */
  sizeOf(name: string): number {
    return this.#get(name).sizeBytes;
  }

  /** @throws {Fault} data_loss — it is missing, or larger than `maxBytes` */
  async read(name: string, maxBytes: number, signal: AbortSignal): Promise<Buffer> {
    return await readBody(this.stream(name, signal), maxBytes, `"${name}"`);
  }

  /** @throws {Fault} data_loss — it is missing */
  async *stream(name: string, signal: AbortSignal): AsyncGenerator<Buffer> {
    const { offset, sizeBytes } = this.#get(name);
    if (sizeBytes === 0) return;
    const range = { start: offset, end: offset + sizeBytes - 1 };
    const stream = createReadStream(this.#tarPath, { ...range, highWaterMark: CHUNK_BYTES, signal });
    yield* stream as AsyncIterable<Buffer>; // it has no encoding
  }

  #get(name: string): Extent {
    const file = this.#find(name);
    if (file === undefined) throw new Fault('data_loss', `cannot find "${name}" in the archive`);
    return file;
  }

  #find(name: string): Extent | undefined {
    let here = normalise(name);
    for (let hops = 0; hops < MAX_LINKS; hops++) {
      const target = this.#links.get(here);
      if (target === undefined) return this.#files.get(here);
      here = target;
    }
    return undefined;
  }

  async #index(signal: AbortSignal): Promise<void> {
    const tar = extract();
    const feeding = pipeline(createReadStream(this.#tarPath, { highWaterMark: CHUNK_BYTES }), tar, {
      signal,
    });
    await Promise.all([feeding, this.#note(tar)]);
  }

  async #note(tar: Extract): Promise<void> {
    for await (const entry of tar) {
      const { name, type, linkname } = entry.header;
      if (this.#files.size + this.#links.size >= MAX_FILES) {
        throw new Fault('resource_exhausted', `the archive has over ${MAX_FILES} files`);
      }
      if (type === 'file') this.#files.set(normalise(name), toExtent(entry));
      else if (type === 'link') this.#links.set(normalise(name), normalise(linkname));
      else if (type === 'symlink') this.#links.set(normalise(name), normalise(`${name}/../${linkname}`));
      entry.resume();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#dir !== undefined) await removeTree(this.#dir);
  }
}

/** Of a tar entry: tar-stream's `offset` is that of the header before the data. */
const HEADER_BYTES = 512;

function toExtent({ header, offset }: { header: { size: number }; offset: number }): Extent {
  return { offset: offset + HEADER_BYTES, sizeBytes: header.size };
}

function isCompressed(head: Buffer): boolean {
  return isGzip(head) || isZstd(head);
}

async function writeOut(
  archivePath: string,
  head: Buffer,
  { to, signal }: { to: string; signal: AbortSignal },
): Promise<void> {
  const bytes = createReadStream(archivePath, { highWaterMark: CHUNK_BYTES }) as AsyncIterable<Buffer>;
  const file = createWriteStream(to, { flags: 'wx', mode: 0o600 });
  await pipeline(Readable.from(decompressed(bytes, head)), file, { signal });
}

async function readHead(path: string): Promise<Buffer> {
  try {
    await using file = await open(path);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    return buffer.subarray(0, bytesRead);
  } catch (cause) {
    if (isErrno(cause, 'ENOENT')) throw new Fault('not_found', `cannot find archive "${path}"`, { cause });
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Fault('invalid_argument', `cannot read archive "${path}": ${why}`, { cause });
  }
}

async function* decompressed(chunks: AsyncIterable<Buffer>, head: Buffer): AsyncGenerator<Buffer> {
  const pieces: Buffer[] = [];
  const decompressor = createDecompressor(head, (piece) => pieces.push(piece));
  for await (const chunk of chunks) {
    await decompressor.write(chunk);
    yield* pieces.splice(0);
  }
  await decompressor.end();
  yield* pieces;
}

function normalise(name: string): string {
  const parts: string[] = [];
  for (const part of name.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}
