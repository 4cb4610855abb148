// What a layer may take of the node. An honest one stays far below.

import { Fault } from '../../base/fault.ts';

export interface UnpackLimits {
  readonly maxEntries: number;
  readonly maxBytes: number;
  /** Unpacked bytes per byte that came, once `ratioFromBytes` are unpacked. */
  readonly maxRatio: number;
  readonly ratioFromBytes: number;
}

export const DEFAULT_LIMITS: UnpackLimits = {
  maxEntries: 4_000_000,
  maxBytes: 512 * 2 ** 30,
  maxRatio: 500, // deflate can do 1032, zstd far more; file systems full of zeros reach 100
  ratioFromBytes: 2 ** 30,
};

export interface UnpackCounts {
  readonly entries: number;
  readonly tarBytes: number;
  readonly blobBytes: number;
}

/** @throws {Fault} resource_exhausted — naming the limit */
export function checkLimits(limits: UnpackLimits, { entries, tarBytes, blobBytes }: UnpackCounts): void {
  if (entries > limits.maxEntries) throw over(`over ${limits.maxEntries} entries`);
  if (tarBytes > limits.maxBytes) throw over(`over ${limits.maxBytes} bytes`);
  if (tarBytes > limits.ratioFromBytes && tarBytes > blobBytes * limits.maxRatio) {
    throw over(`over ${limits.maxRatio} bytes for each one that came`);
  }
}

function over(what: string): Fault {
  return new Fault('resource_exhausted', `it unpacks to ${what}`);
}
