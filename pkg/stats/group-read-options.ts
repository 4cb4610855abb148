// With what, and how thoroughly, a control group is read.

import type { KernelFiles } from './kernel-files.ts';

export interface GroupReadOptions {
  readonly files: KernelFiles;
  /** Whether `detail` is wanted too. */
  readonly detailed: boolean;
  readonly pageSizes: readonly string[];
}
