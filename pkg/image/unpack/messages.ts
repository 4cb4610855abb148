// What the main thread and the thread that unpacks one layer say to each other.

import type { FaultCode } from '../../base/fault.ts';
import type { QUIT } from '../../sys/end-worker.ts';
import type { UnpackLimits } from './limits.ts';
import type { TreeSummary } from './tree-writer.ts';

export interface PlacedFile {
  /** Relative, and checked. */
  readonly path: string;
  readonly sizeBytes: number;
}

export type ToWorker =
  /** Once, first. `directory` exists, is empty, and becomes the thread's root. */
  | {
      readonly kind: 'begin';
      readonly directory: string;
      /** Where the inventory goes: outside of `directory`, and not there yet. */
      readonly inventory: string;
      readonly blobAlgorithm: string;
      readonly diffAlgorithm: string;
      readonly limits: UnpackLimits;
      /** Set if the blob is no tar but this one file. */
      readonly file: PlacedFile | undefined;
    }
  /** The next bytes of the blob: the first `length` of `block`, which `taken` gives back. */
  | { readonly kind: 'chunk'; readonly block: Uint8Array<ArrayBuffer>; readonly length: number }
  /** The blob is complete; answered by `unpacked`. */
  | { readonly kind: 'end' }
  /** At any time: what has been begun is left as it is. */
  | typeof QUIT;

export interface Unpacked {
  readonly kind: 'unpacked';
  /** Of the bytes as they came. */
  readonly blobDigest: string;
  /** Of the tar inside. */
  readonly diffId: string;
  readonly tarBytes: number;
  readonly tree: TreeSummary;
}

export interface Failed {
  readonly kind: 'failed';
  readonly code: FaultCode;
  readonly message: string;
  readonly stack: string;
}

export type FromWorker =
  { readonly kind: 'taken'; readonly block: Uint8Array<ArrayBuffer> } | Unpacked | Failed;
