// UpdateRuntimeConfig: the kubelet tells the node's pod CIDR. It is passed to CNI plugins
// that ask for address ranges, for pods run from now on.

import type { RuntimeServiceHandlers } from '../../../api/cri/generated/services.ts';
import type { Call } from '../../base/call.ts';
import { isIP } from 'node:net';
import type { ServerDeps } from '../deps.ts';
import { refuse } from '../convert/field.ts';

export function updateRuntimeConfig(
  deps: Pick<ServerDeps, 'pods'>,
): RuntimeServiceHandlers<Call>['updateRuntimeConfig'] {
  return async (_, { runtimeConfig }) => {
    const podCidr = runtimeConfig?.networkConfig?.podCidr ?? '';
    for (const cidr of podCidr.split(',').filter((text) => text !== '')) {
      if (!isCidr(cidr)) throw refuse('runtime_config.network_config.pod_cidr', cidr, 'is not a CIDR');
    }
    if (podCidr !== '') await deps.pods.setPodCidr(podCidr);
    return {};
  };
}

function isCidr(text: string): boolean {
  const [address = '', prefix = ''] = text.split('/');
  const family = isIP(address);
  return family !== 0 && /^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128);
}
