// A body in the pieces in which the socket gave them. Node's own iterator joins those that wait, and leaves the
// originals to the collector: at a gigabyte per second that is most of what the main thread does.

import type { Readable } from 'node:stream';

/** So many may wait while one is worked on. */
const AHEAD = 2;

/** The body is destroyed if it is not read to its end. @throws the body's error */
export async function* piecesOf(body: Readable): AsyncGenerator<Buffer> {
  const pieces = new Pieces(body);
  try {
    for (let piece = await pieces.next(); piece !== undefined; piece = await pieces.next()) yield piece;
  } finally {
    body.destroy();
  }
}

class Pieces {
  readonly #body: Readable;
  readonly #waiting: Buffer[] = [];
  #end: { readonly error: Error | undefined } | undefined;
  #wake: () => void = () => undefined;

  constructor(body: Readable) {
    this.#body = body;
    body.on('data', (piece: Buffer) => {
      this.#waiting.push(piece);
      if (this.#waiting.length >= AHEAD) body.pause();
      this.#wake();
    });
    body.on('end', () => {
      this.#finish(undefined);
    });
    body.on('error', (error) => {
      this.#finish(error);
    });
    body.on('close', () => {
      this.#finish(new Error('the connection was closed'));
    });
  }

  /** `undefined` at the end. */
  async next(): Promise<Buffer | undefined> {
    for (;;) {
      const piece = this.#waiting.shift();
      if (piece !== undefined) return piece;
      if (this.#end?.error !== undefined) throw this.#end.error;
      if (this.#end !== undefined) return undefined;
      this.#body.resume();
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  #finish(error: Error | undefined): void {
    this.#end ??= { error };
    this.#wake();
  }
}
