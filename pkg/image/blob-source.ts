// Where blobs come from: a registry, or an archive.

import type { Fault } from '../base/fault.ts';
import type { Digest } from './digest.ts';
import type { Descriptor } from './manifest.ts';

/** Told of each request for a blob, or for the rest of one. */
export interface BlobObserver {
  /** @param host `https://mirror.example` */
  asked(host: string): void;
}

export interface BlobSource {
  /** What comes from a registry is held to the limits of the network. */
  readonly kind: 'registry' | 'archive';
  /**
   * The bytes of a blob, not yet verified, and no more of them than the descriptor says. Each piece is good until
   * the next is asked for.
   *
   * @throws {Fault} while iterating: unavailable, not_found, data_loss and what else the source has
   */
  open(descriptor: Descriptor, signal: AbortSignal, observer?: BlobObserver): AsyncIterable<Buffer>;
  /**
   * What came of the blob when it was opened last is not what its digest says.
   *
   * @returns why it cannot be had; `undefined` if somebody else may have it, and it is to be opened again
   */
  reject(digest: Digest, why: Fault): Fault | undefined;
}
