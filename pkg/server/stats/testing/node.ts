// A node with one pod of one container, and what the kernel would say of it.

import type { ContainerId, SandboxId } from '../../../base/id.ts';
import type { Container } from '../../../container/container.ts';
import { aContainer, process, shim } from '../../../container/testing/container.ts';
import type { Sandbox } from '../../../sandbox/sandbox.ts';
import { aUsage, anInterface } from '../../../stats/testing/usage.ts';
import type { GroupUsage, NetworkUsage, TreeUsage } from '../../../stats/usage.ts';
import type { Records } from '../../deps.ts';
import type { StatsDeps } from '../deps.ts';

const SANDBOX_ID = 'a'.repeat(64) as SandboxId;
const CONTAINER_ID = 'c'.repeat(64);
const POD_GROUP = '/kubepods/podu-1';

export const aRunningContainer: Container = {
  ...aContainer({ phase: 'running', process, shim, startedAtNs: 1_754_000_000_500_000_000n }, CONTAINER_ID),
  cgroupPath: `${POD_GROUP}/${CONTAINER_ID}`,
};

export const aReadySandbox: Sandbox = {
  id: SANDBOX_ID,
  config: {
    metadata: { name: 'web', uid: 'u-1', namespace: 'default', attempt: 0 },
    hostname: 'web',
    logDirectory: '',
    portMappings: [],
    labels: { app: 'web' },
    annotations: { note: 'kept' },
    cgroupParent: POD_GROUP,
    sysctls: {},
    network: 'pod',
    ipc: 'pod',
    pid: 'container',
    privileged: false,
    handler: 'runc',
  },
  createdAtNs: 1_753_000_000_000_000_000n,
  cgroupPath: `${POD_GROUP}/${SANDBOX_ID}`,
  podCidr: '',
  state: { phase: 'ready' },
};

/** What the kernel would say, by path or id. */
export class FakeNode {
  containers: Container[] = [aRunningContainer];
  sandboxes: Sandbox[] = [aReadySandbox];
  groups: Record<string, GroupUsage> = {
    [aRunningContainer.cgroupPath]: aUsage,
    [POD_GROUP]: { ...aUsage, processes: 4 },
  };
  networks: Record<string, NetworkUsage> = {
    [SANDBOX_ID]: {
      takenAtNs: 7n,
      defaultInterface: 'eth0',
      interfaces: [anInterface, { ...anInterface, name: 'net1' }],
    },
  };
  layers: Record<string, TreeUsage> = { [CONTAINER_ID]: { takenAtNs: 8n, usedBytes: 40_960n, inodes: 12n } };

  get deps(): StatsDeps {
    return {
      containers: records<ContainerId, Container>(() => this.containers),
      sandboxes: records<SandboxId, Sandbox>(() => this.sandboxes),
      stats: {
        layersRoot: '/var/lib/davit',
        groups: (_, paths) => Promise.resolve(pick(this.groups, paths)),
        detailedGroups: (_, paths) => Promise.resolve(pick(this.groups, paths)),
        networks: (_, ids) => Promise.resolve(pick(this.networks, ids)),
        layers: (_, ids) => Promise.resolve(pick(this.layers, ids)),
        capacity: () => Promise.resolve({ sizeBytes: 1_000_000n, inodes: 2_000n, freeInodes: 1_500n }),
      },
    };
  }
}

function pick<T>(known: Record<string, T>, keys: readonly string[]): Map<string, T> {
  return new Map(Object.entries(known).filter(([key]) => keys.includes(key)));
}

function records<Id extends string, T extends { readonly id: Id }>(list: () => T[]): Records<Id, T> {
  return {
    list,
    find: (id) => list().find((each) => each.id === id),
    findByPrefix: (prefix) => list().find(({ id }) => id.startsWith(prefix)),
  };
}
