// Writes the inventory of a layer beside it, while the layer is unpacked: a line of JSON for each file. Its own
// digest goes into the record of the layer.

import { createHash, type Hash } from 'node:crypto';
import * as fs from 'node:fs';
import type { InventoryEntry } from './inventory-entry.ts';

export const INVENTORY_ALGORITHM = 'sha256';
const FLUSH_CHARACTERS = 64 * 1024;

export class InventoryWriter {
  readonly #fd: number;
  #hash: Hash = createHash(INVENTORY_ALGORITHM);
  #pending = '';
  #bytes = 0;

  /** @param path outside of the layer, and so to be opened before the thread is confined; no file is there */
  constructor(path: string) {
    this.#fd = fs.openSync(path, 'wx', 0o600);
  }

  get bytes(): number {
    return this.#bytes + this.#pending.length;
  }

  add(entry: InventoryEntry): void {
    this.#pending += `${JSON.stringify(entry)}\n`;
    if (this.#pending.length > FLUSH_CHARACTERS) this.#flush();
  }

  /** Forgets all that was added. */
  clear(): void {
    this.#pending = '';
    this.#bytes = 0;
    this.#hash = createHash(INVENTORY_ALGORITHM);
    fs.ftruncateSync(this.#fd, 0);
  }

  /** @returns the digest of what was written */
  finish(): string {
    this.#flush();
    fs.closeSync(this.#fd);
    return `${INVENTORY_ALGORITHM}:${this.#hash.digest('hex')}`;
  }

  #flush(): void {
    const bytes = Buffer.from(this.#pending, 'latin1');
    this.#pending = '';
    this.#hash.update(bytes);
    for (let rest = bytes; rest.length > 0;) {
      const count = fs.writeSync(this.#fd, rest, 0, rest.length, this.#bytes);
      rest = rest.subarray(count);
      this.#bytes += count;
    }
  }
}
