// The sizes of a client's terminal.

import type { Readable } from 'node:stream';
import * as z from 'zod';
import type { Size } from './backend.ts';

/** Longer than any size; a client that sends more without an end is not listened to any more. */
const MAX_TEXT_LENGTH = 1024;

const extent = z.int().min(0).max(65_535);
const sizeSchema = z.object({ Width: extent, Height: extent });

/**
 * Calls `onSize` for every `{"Width":101,"Height":33}` that comes; what is no size is passed over, since it is
 * no reason to end a session.
 */
export function readSizes(source: Readable, onSize: (size: Size) => void): void {
  let text = '';
  source.on('data', (chunk: Buffer) => {
    text = (text + chunk.toString('latin1')).slice(-MAX_TEXT_LENGTH);
    const objects = text.split('}');
    text = objects.pop() ?? '';
    for (const object of objects) {
      const size = parseSize(`${object}}`);
      if (size !== undefined) onSize(size);
    }
  });
}

function parseSize(text: string): Size | undefined {
  try {
    const parsed = sizeSchema.safeParse(JSON.parse(text));
    return parsed.success ? { rows: parsed.data.Height, columns: parsed.data.Width } : undefined;
  } catch {
    return undefined;
  }
}
