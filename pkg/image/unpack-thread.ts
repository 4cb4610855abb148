// The main thread's end of unpacking: a confined thread per layer, fed with blocks and never more than a few.

import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { abortable } from '../async/abortable.ts';
import { Fault } from '../base/fault.ts';
import { endWorker } from '../sys/end-worker.ts';
import { algorithmOf, type Digest } from './digest.ts';
import { CHUNK_BYTES } from './unpack/decompress.ts';
import type { UnpackLimits } from './unpack/limits.ts';
import type { FromWorker, PlacedFile, ToWorker, Unpacked } from './unpack/messages.ts';
import { unpackWorkerUrl } from './unpack/worker-url.ts';

/** They go round between the two threads: new ones for all that comes would be memory for nothing. */
const BLOCKS = 4;
/** For what the thread itself keeps: an honest layer needs far less, and a hostile one gets no more. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 256 };
/**
 * MiB for the young objects of each thread, twice. The daemon's own number would count before a resource limit, and
 * each thread would take 6 MiB more, for nothing.
 */
const SEMI_SPACE_MIB = 1;

export interface UnpackOrder {
  /** Exists and is empty. */
  readonly directory: string;
  /** Where a list of what is in the layer goes. No such file exists. */
  readonly inventory: string;
  readonly chunks: AsyncIterable<Buffer>;
  /** Only their algorithms count here: whoever ordered compares. */
  readonly blobDigest: Digest;
  readonly diffId: Digest;
  readonly limits: UnpackLimits;
  /** Set if the blob is no tar but this one file. */
  readonly file?: PlacedFile;
}

export class UnpackThread implements AsyncDisposable {
  readonly #worker: Worker;
  /** The digest of the layer, for messages. */
  #name = '';
  /** Those not on the way to the thread; the first is being filled. */
  readonly #blocks = Array.from({ length: BLOCKS }, () => new Uint8Array(CHUNK_BYTES));
  #filled = 0;
  #unpacked: Unpacked | undefined;
  #failure: Fault | undefined;
  #wake: () => void = () => undefined;

  constructor() {
    setFlagsFromString(`--max-semi-space-size=${SEMI_SPACE_MIB}`); // of heaps made from now on
    this.#worker = new Worker(unpackWorkerUrl(), {
      name: 'davit-unpack',
      execArgv: [],
      resourceLimits: RESOURCE_LIMITS,
    });
    this.#worker.on('message', (message: FromWorker) => {
      this.#receive(message);
    });
    this.#worker.on('error', (cause) => {
      this.#fail(new Fault('internal', `the unpacking thread broke: ${describe(cause)}`, { cause }));
    });
    this.#worker.on('exit', () => {
      this.#fail(new Fault('internal', 'the unpacking thread ended'));
    });
  }

  /**
   * Unpacks a blob into a directory. What came is not yet verified.
   *
   * @throws {Fault} data_loss, unimplemented, resource_exhausted, internal; and what `chunks` throws
   * @throws the reason of the signal
   */
  async unpack(order: UnpackOrder, signal: AbortSignal): Promise<Unpacked> {
    const { directory, inventory, blobDigest, diffId, limits, file } = order;
    const [blobAlgorithm, diffAlgorithm] = [algorithmOf(blobDigest), algorithmOf(diffId)];
    this.#name = blobDigest;
    this.#say({ kind: 'begin', directory, inventory, blobAlgorithm, diffAlgorithm, limits, file });
    for await (const chunk of order.chunks) await this.#feed(chunk, signal);
    this.#flush();
    this.#say({ kind: 'end' });
    await this.#until(() => this.#unpacked !== undefined, signal);
    if (this.#unpacked === undefined) throw new Fault('internal', 'the unpacking thread said nothing');
    return this.#unpacked;
  }

  /** Joins small pieces: a message costs more than copying. */
  async #feed(chunk: Buffer, signal: AbortSignal): Promise<void> {
    for (let at = 0; at < chunk.length;) {
      await this.#until(() => this.#blocks.length > 0, signal);
      const [block] = this.#blocks;
      if (block === undefined) return;
      const piece = chunk.subarray(at, at + block.length - this.#filled);
      block.set(piece, this.#filled);
      at += piece.length;
      this.#filled += piece.length;
      if (this.#filled === block.length) this.#flush();
    }
  }

  #flush(): void {
    const [block] = this.#blocks;
    if (this.#filled === 0 || block === undefined) return;
    this.#blocks.shift();
    this.#say({ kind: 'chunk', block, length: this.#filled }, block.buffer);
    this.#filled = 0;
  }

  #say(message: ToWorker, ...transfer: ArrayBuffer[]): void {
    this.#worker.postMessage(message, transfer);
  }

  #receive(message: FromWorker): void {
    switch (message.kind) {
      case 'taken':
        this.#blocks.push(message.block);
        break;
      case 'unpacked':
        this.#unpacked = message;
        break;
      case 'failed': {
        const cause = new Error(message.message);
        cause.stack = message.stack;
        const detail = { digest: this.#name };
        const text = `cannot unpack layer "${this.#name}": ${message.message}`;
        this.#fail(new Fault(message.code, text, { detail, cause }));
      }
    }
    this.#wake();
  }

  #fail(failure: Fault): void {
    this.#failure ??= failure;
    this.#wake();
  }

  async #until(reached: () => boolean, signal: AbortSignal): Promise<void> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      if (reached()) return;
      await abortable(new Promise<void>((resolve) => (this.#wake = resolve)), signal);
    }
  }

  /** When it returns, the thread writes no more. */
  async [Symbol.asyncDispose](): Promise<void> {
    await endWorker(this.#worker);
  }
}

/** A thread takes some 35 ms to start: while layers are on the way, one stands ready. None is kept when idle. */
export class UnpackThreads {
  #spare: UnpackThread | undefined;
  #users = 0;

  /** Layers will be unpacked soon: until the result is disposed. */
  expect(): AsyncDisposable {
    this.#users += 1;
    this.#spare ??= new UnpackThread();
    return {
      [Symbol.asyncDispose]: async () => {
        this.#users -= 1;
        if (this.#users > 0) return;
        const spare = this.#spare;
        this.#spare = undefined;
        await spare?.[Symbol.asyncDispose]();
      },
    };
  }

  /** @param options.more that others wait already: another will be wanted at once */
  take(options: { readonly more: boolean }): UnpackThread {
    const thread = this.#spare ?? new UnpackThread();
    this.#spare = options.more && this.#users > 0 ? new UnpackThread() : undefined;
    return thread;
  }
}

function describe(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
