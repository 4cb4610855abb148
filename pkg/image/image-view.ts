// How a container sees the files of an image.

import type { PinnedUsers } from '../sys/user-namespace.ts';

export interface ImageView {
  /** Whose they are, if not the node's. */
  readonly users?: PinnedUsers | undefined;
  /** Their SELinux label; that on disk if absent. */
  readonly label?: string | undefined;
}
