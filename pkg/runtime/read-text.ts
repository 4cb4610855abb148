// Reading texts that programs write, never more than a bound of them.

import type { Readable } from 'node:stream';
import { Output } from '../sys/output.ts';

/** No honest status line or error message is longer. */
const MAX_TEXT_BYTES = 64 * 1024;

/** Without its line break; what there is when the stream ends before one. It never rejects. */
export function readFirstLine(stream: Readable): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const done = () => {
      resolve(text.split('\n', 1)[0] ?? '');
    };
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
      if (text.includes('\n') || text.length > MAX_TEXT_BYTES) done();
    });
    stream.on('error', done).on('close', done);
  });
}

/** All of a stream that is short; of a longer one its beginning. It never rejects. */
export async function readText(stream: Readable | undefined): Promise<string> {
  const output = new Output(stream, MAX_TEXT_BYTES);
  await output.ended;
  return output.bytes().toString('utf8');
}
