// Reads the first part of something while it has to wait for its turn, so that the network is not idle meanwhile.

export interface Turn<T> {
  readonly turn: T;
  /** All that was to be read, from its beginning on. To be read to the end, or until it is closed. */
  readonly chunks: AsyncIterable<Buffer>;
}

/**
 * Waits for `turn`, and reads `chunks` until then: up to `limitBytes` and a piece. What is read by then is copied,
 * because a piece is good until the next is asked for.
 *
 * @throws what `turn` throws; a failure of `chunks` comes out of the result
 */
export async function readAhead<T>(
  chunks: AsyncIterable<Buffer>,
  turn: Promise<T>,
  limitBytes: number,
): Promise<Turn<T>> {
  const source = new Source(chunks);
  const isTurn = turn.then(() => TURN);
  const early: Buffer[] = [];
  try {
    for (let bytes = 0; bytes < limitBytes;) {
      const first = await Promise.race([isTurn, source.peek()]);
      if (first.kind !== 'chunk') break; // an end or a failure is found again by who reads on
      early.push(Buffer.from(first.chunk));
      bytes += first.chunk.length;
      source.take();
    }
    return { turn: await turn, chunks: readOn(early, source) };
  } catch (error) {
    await source.close();
    throw error;
  }
}

const TURN = { kind: 'turn' } as const;

type Piece =
  | { readonly kind: 'chunk'; readonly chunk: Buffer }
  | { readonly kind: 'end' }
  | { readonly kind: 'failure'; readonly error: unknown };

/** Whose next piece can be waited for without taking it. */
class Source {
  readonly #iterator: AsyncIterator<Buffer>;
  #next: Promise<Piece> | undefined;

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#iterator = chunks[Symbol.asyncIterator]();
  }

  /** Never rejects. */
  peek(): Promise<Piece> {
    this.#next ??= this.#ask();
    return this.#next;
  }

  take(): void {
    this.#next = undefined;
  }

  async close(): Promise<void> {
    await this.#iterator.return?.();
  }

  async #ask(): Promise<Piece> {
    try {
      const result = await this.#iterator.next();
      return result.done === true ? { kind: 'end' } : { kind: 'chunk', chunk: result.value };
    } catch (error) {
      return { kind: 'failure', error };
    }
  }
}

async function* readOn(early: Buffer[], source: Source): AsyncGenerator<Buffer> {
  try {
    for (let chunk = early.shift(); chunk !== undefined; chunk = early.shift()) yield chunk;
    for (;;) {
      const piece = await source.peek();
      if (piece.kind === 'failure') throw piece.error;
      if (piece.kind === 'end') return;
      yield piece.chunk;
      source.take();
    }
  } finally {
    await source.close();
  }
}
