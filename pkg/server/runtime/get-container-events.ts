// GetContainerEvents: what happens to pods, as it happens, each time with the whole pod as it is then.

import type { RuntimeServiceHandlers } from '../../../api/cri/generated/services.ts';
import { ContainerEventType } from '../../../api/cri/generated/types.ts';
import type { Call } from '../../base/call.ts';
import type { PodEventType } from '../../pod/events.ts';
import { toContainerStatus } from '../convert/container-status.ts';
import { toSandboxStatus } from '../convert/sandbox-status.ts';
import type { ServerDeps } from '../deps.ts';

const TYPES: Readonly<Record<PodEventType, ContainerEventType>> = {
  created: ContainerEventType.CONTAINER_CREATED_EVENT,
  started: ContainerEventType.CONTAINER_STARTED_EVENT,
  stopped: ContainerEventType.CONTAINER_STOPPED_EVENT,
  deleted: ContainerEventType.CONTAINER_DELETED_EVENT,
};

export function getContainerEvents({
  events,
}: Pick<ServerDeps, 'events'>): RuntimeServiceHandlers<Call>['getContainerEvents'] {
  return async function* ({ signal }) {
    for await (const { id, type, atNs, sandbox, containers } of events.subscribe(signal)) {
      yield {
        containerId: id,
        containerEventType: TYPES[type],
        createdAt: atNs,
        podSandboxStatus: sandbox && toSandboxStatus(sandbox),
        containersStatuses: containers.map(toContainerStatus),
      };
    }
  };
}
