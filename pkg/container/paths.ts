// Where the parts of a container are. Everything follows from the id, so that it can be found after a crash.

import { join } from 'node:path';
import type { ContainerId } from '../base/id.ts';

export interface ContainerPaths {
  /** The OCI bundle: config.json, the shim's files, the mounted root file system. Readable by root alone. */
  readonly bundle: string;
  readonly rootfs: string;
}

/** @param runDir the daemon's run directory */
export function containerPaths(runDir: string, id: ContainerId): ContainerPaths {
  const bundle = join(runDir, 'containers', id);
  return { bundle, rootfs: join(bundle, 'rootfs') };
}
