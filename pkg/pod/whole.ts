// Whether what the containers of a pod share is still there. After a reboot it is not.

import { join } from 'node:path';
import type { SandboxId } from '../base/id.ts';
import { sandboxPaths } from '../sandbox/paths.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { isPinned } from '../sys/namespace.ts';

export interface WholeDeps {
  readonly runDir: string;
  /** Whether the machine has not been started anew since the sandbox was run. */
  readonly sameBoot: boolean;
  /** The state of the pod's init in the words of the OCI runtime. */
  readonly initStatus: (sandbox: Sandbox) => Promise<string | undefined>;
}

export async function isWhole(
  { runDir, sameBoot, initStatus }: WholeDeps,
  sandbox: Sandbox,
): Promise<boolean> {
  if (!sameBoot) return false; // one on the node's own network has nothing pinned that would be missing
  const { network, ipc, pid, userNamespace } = sandbox.config;
  const types = [
    ...(network === 'pod' ? ['net', 'uts'] : []),
    ...(ipc === 'pod' ? ['ipc'] : []),
    ...(userNamespace === undefined ? [] : ['user']),
  ];
  if (!types.every((type) => isPinned(pinOf(runDir, sandbox.id, type)))) return false;
  return pid !== 'pod' || (await initStatus(sandbox)) === 'running';
}

function pinOf(runDir: string, id: SandboxId, type: string): string {
  return join(sandboxPaths(runDir, id).namespaces, type);
}
