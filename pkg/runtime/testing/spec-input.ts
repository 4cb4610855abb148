// A container that asks for nothing special.

import { CAPABILITIES } from '../../sys/capability.ts';
import { DEFAULT_MASKED_PATHS, DEFAULT_READONLY_PATHS, type ContainerSpecInput } from '../spec.ts';

export const specInput: ContainerSpecInput = {
  id: '4f1c',
  args: ['sleep', '1000'],
  env: [],
  cwd: '',
  user: { uid: 0, gid: 0, additionalGids: [0] },
  tty: false,
  rootfs: '/run/davit/containers/4f1c/rootfs',
  readonlyRootfs: false,
  hostname: 'web-0',
  mounts: [],
  devices: [],
  resources: {},
  swapAccounting: false,
  capabilities: { add: [], drop: [], ambient: [] },
  availableCapabilities: new Set(CAPABILITIES),
  privileged: false,
  allDevicesAllowed: false,
  noNewPrivileges: false,
  maskedPaths: DEFAULT_MASKED_PATHS,
  readonlyPaths: DEFAULT_READONLY_PATHS,
  namespaces: { net: 'new', ipc: 'new', uts: 'new', pid: 'new' },
  cgroupVersion: 1,
  cgroupsPath: '/davit/4f1c',
  sysctls: {},
  annotations: {},
};
