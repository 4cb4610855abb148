// The layers of an image as seen by a pod with users of its own: their files belong to those. An overlay keeps how
// it saw its layers when it was mounted, so one mount of the directory of all layers does, for that moment only.

import { mkdir, rmdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { mountIdmapped } from '../sys/idmapped-mount.ts';
import { unmount } from '../sys/mount.ts';
import type { PinnedUsers } from '../sys/user-namespace.ts';

export interface IdmapPlace {
  /** Without them the layers are as they are. */
  readonly users: PinnedUsers | undefined;
  /** A path of our own, free to be mounted at; nothing is there afterwards. */
  readonly at: string;
}

/** @param find says where the layers are, all in one directory: it is called right before `body` is */
export async function withIdmappedLayers(
  { users, at }: IdmapPlace,
  find: () => readonly string[],
  body: (layers: readonly string[]) => void,
): Promise<void> {
  if (users === undefined) {
    body(find());
    return;
  }
  await mkdir(at, { recursive: true, mode: 0o700 });
  try {
    const layers = find();
    mountIdmapped({
      source: dirname(layers[0] ?? at),
      target: at,
      userNamespace: users.path,
      readonly: true,
    });
    body(layers.map((layer) => join(at, basename(layer))));
  } finally {
    unmount(at);
    await rmdir(at);
  }
}
