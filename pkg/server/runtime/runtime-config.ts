// RuntimeConfig: tells the kubelet which cgroup driver to use, so that both use the same.

import type { RuntimeServiceHandlers } from '../../../api/cri/generated/services.ts';
import type { Call } from '../../base/call.ts';
import type { ServerDeps } from '../deps.ts';
import { CgroupDriver } from '../../../api/cri/generated/types.ts';

export function runtimeConfig(
  deps: Pick<ServerDeps, 'cgroupDriver'>,
): RuntimeServiceHandlers<Call>['runtimeConfig'] {
  return () =>
    Promise.resolve({
      linux: {
        cgroupDriver: deps.cgroupDriver === 'systemd' ? CgroupDriver.SYSTEMD : CgroupDriver.CGROUPFS,
      },
    });
}
