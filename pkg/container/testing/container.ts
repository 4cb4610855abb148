// A container as tests need it: every field set, nothing special.

import type { ContainerId, ImageId, SandboxId } from '../../base/id.ts';
import type { Container } from '../container.ts';
import type { ContainerState } from '../phase.ts';

export const process = { pid: 4242, startTicks: '17' };
export const shim = { pid: 4243, startTicks: '18' };

export function aContainer(state: ContainerState, id = 'c'.repeat(64)): Container {
  return {
    id: id as ContainerId,
    sandboxId: 'a'.repeat(64) as SandboxId,
    metadata: { name: 'web', attempt: 0 },
    image: {
      name: 'docker.io/library/busybox:latest',
      userSpecified: '',
      id: `sha256:${'0'.repeat(64)}` as ImageId,
    },
    labels: { app: 'web' },
    annotations: {},
    mounts: [],
    logPath: '/var/log/pods/web/0.log',
    tty: false,
    stdinOnce: false,
    stopSignal: 'SIGTERM',
    handler: 'runc',
    ownPidNamespace: true,
    cgroupPath: `/davit/${id}`,
    createdAtNs: 1_755_000_000_123_456_789n,
    state,
  };
}
