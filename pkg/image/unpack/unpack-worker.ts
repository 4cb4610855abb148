// The thread that unpacks one layer: blob → sha256 → decompress → sha256 → files. Its root is the layer's
// directory, and so no name in the tar leads out. Only synchronous file calls obey that root: asynchronous ones
// run on threads that have the host's. Once confined it can do nothing else, so it ends with its layer.

import { createHash, type Hash } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import { Fault } from '../../base/fault.ts';
import { isErrno } from '../../sys/errno.ts';
import type { QUIT } from '../../sys/end-worker.ts';
import { chdir, chroot, CLONE_FS, unshare } from '../../sys/libc/namespace.ts';
import { createDecompressor, type Decompressor } from './decompress.ts';
import { FileUnpacking } from './file-unpacking.ts';
import { checkLimits, type UnpackLimits } from './limits.ts';
import { InventoryWriter } from './inventory-writer.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import { TarReader } from './tar-reader.ts';
import { TreeWriter } from './tree-writer.ts';

/** What recognising a compression takes. */
const HEAD_BYTES = 4;

type Begin = Extract<ToWorker, { kind: 'begin' }>;

class LayerUnpacking {
  readonly #blobHash: Hash;
  readonly #diffHash: Hash;
  readonly #algorithms: { readonly blob: string; readonly diff: string };
  readonly #limits: UnpackLimits;
  readonly #writer: TreeWriter;
  readonly #reader: TarReader;
  #head: Buffer = Buffer.alloc(0);
  #decompressor: Decompressor | undefined;
  #blobBytes = 0;
  #tarBytes = 0;

  /** This thread is confined to the layer's directory. */
  constructor({ blobAlgorithm, diffAlgorithm, limits }: Begin, writer: TreeWriter) {
    this.#writer = writer;
    this.#reader = new TarReader(writer);
    this.#algorithms = { blob: blobAlgorithm, diff: diffAlgorithm };
    this.#blobHash = createHash(blobAlgorithm);
    this.#diffHash = createHash(diffAlgorithm);
    this.#limits = limits;
  }

  async take(chunk: Buffer): Promise<void> {
    this.#blobHash.update(chunk);
    this.#blobBytes += chunk.length;
    if (this.#decompressor !== undefined) {
      await this.#decompressor.write(chunk);
      return;
    }
    this.#head = Buffer.concat([this.#head, chunk]);
    if (this.#head.length >= HEAD_BYTES) await this.#begin();
  }

  async end(): Promise<FromWorker> {
    await (this.#decompressor ?? (await this.#begin())).end();
    this.#reader.finish();
    return {
      kind: 'unpacked',
      blobDigest: `${this.#algorithms.blob}:${this.#blobHash.digest('hex')}`,
      diffId: `${this.#algorithms.diff}:${this.#diffHash.digest('hex')}`,
      tarBytes: this.#tarBytes,
      tree: this.#writer.finish(),
    };
  }

  async #begin(): Promise<Decompressor> {
    const decompressor = createDecompressor(this.#head, (piece) => {
      this.#unpack(piece);
    });
    this.#decompressor = decompressor;
    await decompressor.write(this.#head);
    this.#head = Buffer.alloc(0);
    return decompressor;
  }

  #unpack(piece: Buffer): void {
    this.#diffHash.update(piece);
    this.#tarBytes += piece.length;
    this.#reader.push(piece);
    const counts = { entries: this.#writer.entries, tarBytes: this.#tarBytes, blobBytes: this.#blobBytes };
    checkLimits(this.#limits, counts);
  }
}

const port = parentPort;
if (port === null) throw new Error('unpack-worker.ts runs as a worker thread alone');
const say = (message: FromWorker, ...transfer: ArrayBuffer[]): void => {
  port.postMessage(message, transfer);
};

function begin(order: Begin): LayerUnpacking | FileUnpacking {
  const writer = new TreeWriter(new InventoryWriter(order.inventory)); // opened before: it is not in the layer
  unshare(CLONE_FS);
  chroot(order.directory);
  chdir('/');
  return order.file === undefined
    ? new LayerUnpacking(order, writer)
    : new FileUnpacking(order.file, writer, order);
}

let unpacking: LayerUnpacking | FileUnpacking | undefined;
/** One message at a time, in the order in which they came. */
let queue = Promise.resolve();

async function handle(message: Exclude<ToWorker, typeof QUIT>): Promise<void> {
  switch (message.kind) {
    case 'begin':
      unpacking = begin(message);
      return;
    case 'chunk':
      await unpacking?.take(Buffer.from(message.block.buffer, 0, message.length));
      say({ kind: 'taken', block: message.block }, message.block.buffer);
      return;
    case 'end':
      if (unpacking !== undefined) say(await unpacking.end());
  }
}

port.on('message', (message: ToWorker) => {
  if (message.kind === 'quit') process.exit();
  queue = queue.then(() => handle(message)).catch(fail);
});

let hasFailed = false;

function fail(thrown: unknown): void {
  if (hasFailed) return; // what follows from the first failure says nothing new
  hasFailed = true;
  const { code, message, stack } = toFault(thrown);
  say({ kind: 'failed', code, message, stack: stack ?? '' });
}

function toFault(thrown: unknown): Fault {
  if (thrown instanceof Fault) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (isErrno(thrown, 'ENOSPC', 'EDQUOT'))
    return new Fault('resource_exhausted', 'the disk is full', { cause: thrown });
  const isStream = thrown instanceof Error && 'code' in thrown && /^(?:Z_|ZSTD_)/.test(String(thrown.code));
  if (isStream) return new Fault('data_loss', `it cannot be decompressed: ${message}`, { cause: thrown });
  return new Fault('internal', message, { cause: thrown });
}
