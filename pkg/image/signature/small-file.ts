// Reading files of the operator's that are small when they are what they should be.

import { open } from 'node:fs/promises';
import { Fault } from '../../base/fault.ts';
import { readBody } from '../registry/body.ts';

const MAX_BYTES = 1 << 20;

/**
 * @param kind for the message: `key`
 * @throws {Fault} failed_precondition — it cannot be read, or is too large
 */
export async function readSmallFile(path: string, kind: string): Promise<Buffer> {
  try {
    await using file = await open(path);
    const chunks = file.createReadStream({ autoClose: false }) as AsyncIterable<Buffer>; // it has no encoding
    return await readBody(chunks, MAX_BYTES, kind);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Fault('failed_precondition', `cannot read ${kind} "${path}": ${why}`, { cause });
  }
}
