// Reads a stream to its end, in tests.

import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';

/** What comes out of `stream` until it ends, without white space at the end. */
export async function readText(stream: Readable | undefined): Promise<string> {
  return stream === undefined ? '' : (await text(stream)).trimEnd();
}
