// Examine: what is wrong on the node. Not part of the CRI; for davitctl.

import type { AdminHandlers } from '../../../api/davit/generated/services.ts';
import type { Call } from '../../base/call.ts';
import type { ServerDeps } from '../deps.ts';

export function examine({ doctor }: Pick<ServerDeps, 'doctor'>): AdminHandlers<Call>['examine'] {
  return async (call, { repair }) => ({ findings: await doctor.examine(call, repair ? 'all' : 'nothing') });
}
