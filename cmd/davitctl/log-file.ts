// Reading a container's log file: from its end, and on through rotation.

import { watch } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface ReadLogOptions {
  /** Waits for more until `isOver`, or `signal` aborts. */
  readonly follow: boolean;
  /** Begins with this many last lines; with the first one when absent. */
  readonly tail?: number | undefined;
  /** Whether nothing will be written any more. Asked now and then, when there is nothing to read. */
  readonly isOver: () => Promise<boolean>;
  readonly signal: AbortSignal;
}

const BLOCK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/** Where a change is not noticed, it is looked for this often. */
const LOOK_INTERVAL_MS = 500;

/**
 * The lines of the log, without their ends.
 *
 * The log is rotated by renaming it and opening a new one in its place; what is written is in the old one
 * until the new one is there. A log that is copied and cut short instead is read from its beginning again.
 */
export async function* readLog(
  path: string,
  options: ReadLogOptions,
): AsyncGenerator<Buffer, void, undefined> {
  let file = await open(path);
  try {
    using changes = new Changes(path);
    const lines = new LineReader(options.tail === undefined ? 0 : await offsetOfTail(file, options.tail));
    for (let over = false; ;) {
      yield* lines.readToEnd(file);
      const next = await openIfReplaced(path, file);
      if (next !== undefined) {
        yield* lines.readToEnd(file); // what came before the new one was there
        yield* lines.restart();
        await file.close();
        file = next;
        continue;
      }
      if (!options.follow || over || options.signal.aborted) break;
      over = await options.isOver();
      if (!over) await changes.next(options.signal);
    }
    yield* lines.restart(); // a last line without an end
  } finally {
    await file.close();
  }
}

/** Cuts what is read into lines. */
class LineReader {
  #offset: number;
  #rest: Buffer = Buffer.alloc(0);

  constructor(offset: number) {
    this.#offset = offset;
  }

  async *readToEnd(file: FileHandle): AsyncGenerator<Buffer, void, undefined> {
    const { size } = await file.stat();
    if (size < this.#offset) yield* this.restart();
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(BLOCK_BYTES), 0, BLOCK_BYTES, this.#offset);
      if (bytesRead === 0) return;
      this.#offset += bytesRead;
      yield* this.#cut(buffer.subarray(0, bytesRead));
    }
  }

  /** Gives what has no end yet, and goes back to the beginning. */
  *restart(): Generator<Buffer, void, undefined> {
    if (this.#rest.length > 0) yield this.#rest;
    this.#rest = Buffer.alloc(0);
    this.#offset = 0;
  }

  *#cut(block: Buffer): Generator<Buffer, void, undefined> {
    let bytes = this.#rest.length === 0 ? block : Buffer.concat([this.#rest, block]);
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE)) {
      yield bytes.subarray(0, end);
      bytes = bytes.subarray(end + 1);
    }
    this.#rest = bytes;
  }
}

/** Something happened in the directory of a file. */
class Changes implements Disposable {
  readonly #watcher;
  #happened = false;
  #wake: () => void = () => undefined;

  constructor(path: string) {
    this.#watcher = watch(dirname(path), () => {
      this.#happened = true;
      this.#wake();
    });
    this.#watcher.on('error', () => undefined); // then the interval alone has to do
  }

  /** Settles when something happened since it last did, and after a while in any case. */
  next(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#happened = false;
        this.#wake = () => undefined;
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, LOOK_INTERVAL_MS);
      signal.addEventListener('abort', done);
      if (this.#happened) done();
      else this.#wake = done;
    });
  }

  [Symbol.dispose](): void {
    this.#watcher.close();
  }
}

async function openIfReplaced(path: string, file: FileHandle): Promise<FileHandle | undefined> {
  const [ours, theirs] = await Promise.all([file.stat(), stat(path).catch(() => undefined)]);
  if (theirs === undefined || (theirs.ino === ours.ino && theirs.dev === ours.dev)) return undefined;
  return await open(path).catch(() => undefined); // gone again: the next look will show
}

/** Where the last `count` lines begin, found from the end, since logs are long. */
async function offsetOfTail(file: FileHandle, count: number): Promise<number> {
  let { size: end } = await file.stat();
  if (count === 0) return end;
  let missing = count + 1; // the newline before the first of them
  if (end > 0 && (await lastByte(file, end)) !== NEWLINE) missing--; // the last line has no end yet
  while (end > 0) {
    const start = Math.max(0, end - BLOCK_BYTES);
    const { bytesRead, buffer } = await file.read(Buffer.alloc(end - start), 0, end - start, start);
    for (let at = bytesRead - 1; at >= 0; at--) {
      if (buffer[at] === NEWLINE && --missing === 0) return start + at + 1;
    }
    end = start;
  }
  return 0;
}

async function lastByte(file: FileHandle, size: number): Promise<number | undefined> {
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0];
}
