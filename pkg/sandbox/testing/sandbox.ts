// A sandbox as tests need it: every field set, nothing special.

import type { SandboxId } from '../../base/id.ts';
import type { SandboxState } from '../phase.ts';
import type { Sandbox } from '../sandbox.ts';

export function aSandbox(state: SandboxState, id = 'a'.repeat(64)): Sandbox {
  return {
    id: id as SandboxId,
    config: {
      metadata: { name: 'web', uid: 'u-1', namespace: 'default', attempt: 0 },
      hostname: 'web',
      logDirectory: '/var/log/pods/web',
      portMappings: [],
      labels: { app: 'web' },
      annotations: {},
      cgroupParent: '',
      sysctls: {},
      network: 'node',
      ipc: 'node',
      pid: 'container',
      privileged: false,
      handler: 'runc',
    },
    createdAtNs: 1_755_000_000_123_456_789n,
    cgroupPath: `/davit/${id}`,
    podCidr: '',
    state,
  };
}
