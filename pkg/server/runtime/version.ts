// Version: who answers here. The kubelet asks it first and refuses empty fields.

import type { RuntimeServiceHandlers } from '../../../api/cri/generated/services.ts';
import type { Call } from '../../base/call.ts';
import type { ServerDeps } from '../deps.ts';

/** The version of the kubelet's own API, which has not changed since its beginning. */
const API_VERSION = '0.1.0';

export function version(deps: Pick<ServerDeps, 'version'>): RuntimeServiceHandlers<Call>['version'] {
  return () =>
    Promise.resolve({
      version: API_VERSION,
      runtimeName: 'davit',
      runtimeVersion: deps.version,
      runtimeApiVersion: 'v1',
    });
}
