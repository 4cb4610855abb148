// Where the parts of a sandbox are. Everything follows from the id, so that it can be found after a crash.

import { join } from 'node:path';
import type { SandboxId } from '../base/id.ts';

export interface SandboxPaths {
  /** Holds all the others; gone when the sandbox is stopped. */
  readonly dir: string;
  /** One pinned namespace per file: `net`, `ipc`, `uts`, `user`, `pid`. */
  readonly namespaces: string;
  /** A tmpfs: /dev/shm of all containers. */
  readonly sharedMemory: string;
  readonly resolvConf: string;
  readonly hostname: string;
  readonly hosts: string;
  /** Bundle of the init of a pod with a pid namespace of its own. */
  readonly init: string;
}

/** @param runDir the daemon's run directory */
export function sandboxPaths(runDir: string, id: SandboxId): SandboxPaths {
  const dir = join(runDir, 'sandboxes', id);
  return {
    dir,
    namespaces: join(dir, 'ns'),
    sharedMemory: join(dir, 'shm'),
    resolvConf: join(dir, 'resolv.conf'),
    hostname: join(dir, 'hostname'),
    hosts: join(dir, 'hosts'),
    init: join(dir, 'init'),
  };
}
