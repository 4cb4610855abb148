// A pod and a network for tests.

import { newSandboxId } from '../../base/id.ts';
import { parseNetworkConfig, type NetworkConfigList } from '../network-config.ts';
import type { PodAttachment } from '../pod-attachment.ts';

export function makePod(changes: Partial<PodAttachment> = {}): PodAttachment {
  const names = { name: 'web', namespace: 'shop', uid: '0b5c' };
  return { id: newSandboxId(), ...names, annotations: {}, portMappings: [], ...changes };
}

export function makeList(config: object): NetworkConfigList {
  const { loadOnlyInlinedPlugins: _, ...list } = parseNetworkConfig(
    JSON.stringify({ cniVersion: '1.0.0', name: 'net', ...config }),
    '/etc/cni/net.d/10-net.conflist',
  );
  return list;
}
