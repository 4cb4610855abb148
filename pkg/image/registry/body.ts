// Reading the small answers of a registry, which may try to be large.

import { Fault } from '../../base/fault.ts';

/** @throws {Fault} data_loss — it has more than `maxBytes` */
export async function readBody(body: AsyncIterable<Buffer>, maxBytes: number, what: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes) throw new Fault('data_loss', `cannot read ${what}: it has over ${maxBytes} bytes`);
    chunks.push(Buffer.from(chunk)); // what comes may be good only until the next comes
  }
  return Buffer.concat(chunks);
}
