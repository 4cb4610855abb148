// What is told back of a pod and of a container.

import { honoured, NOT_LINUX, type FieldRows } from '../field-row.ts';

const POD = honoured(
  'server/convert/sandbox-status.ts',
  'e2e/sandbox: a pod that was run is READY and is told back as it was asked for',
);
const CONTAINER = honoured(
  'server/convert/container-status.ts',
  'e2e/container-lifecycle: a container is told back as it was asked for',
);
const TIMES = honoured(
  'server/convert/container-status.ts',
  'e2e/container-lifecycle: the times of a container follow each other',
);
const USER = honoured(
  'server/convert/container-status.ts',
  'e2e/container-process: supplemental groups are added to those of the image, and the status tells all',
);

export const STATUS_ROWS: FieldRows = {
  PodSandboxStatus: {
    id: POD,
    state: honoured(
      'server/convert/sandbox-status.ts',
      'e2e/sandbox: a pod that was run is READY and is told back as it was asked for',
      'e2e/sandbox: a stopped pod is NOTREADY, keeps its record, and may be stopped again',
    ),
    created_at: honoured(
      'server/convert/sandbox-status.ts',
      'e2e/sandbox: the time of creation is now, to the nanosecond and not rounded to seconds',
    ),
    labels: POD,
    annotations: POD,
    runtime_handler: POD,
  },
  PodSandboxNetworkStatus: {
    ip: honoured(
      'server/convert/sandbox-status.ts',
      'e2e/network: the status of a pod tells its addresses, of both families',
    ),
  },
  PodIP: {
    ip: honoured(
      'server/convert/sandbox-status.ts',
      'e2e/network: the status of a pod tells its addresses, of both families',
    ),
  },
  ContainerStatus: {
    id: CONTAINER,
    state: honoured(
      'server/convert/container-status.ts',
      'e2e/container-lifecycle: a created container is there but does not run',
      'e2e/container-lifecycle: a container that did its work has exit code 0 and the reason Completed',
    ),
    created_at: TIMES,
    started_at: TIMES,
    finished_at: TIMES,
    exit_code: honoured(
      'container/exit.ts',
      'e2e/container-process: an exit code is that of the program',
      'e2e/container-process: a program that ends by a signal has 128 and its number as exit code',
    ),
    image_ref: CONTAINER,
    reason: honoured(
      'container/exit.ts',
      'e2e/container-lifecycle: a container that did its work has exit code 0 and the reason Completed',
      'e2e/container-resources: a container that takes more memory than it may has the reason OOMKilled',
    ),
    message: honoured(
      'container/exit.ts',
      "e2e/deaths: a container that reaches its own memory limit is told so, with the limit's bytes",
    ),
    labels: CONTAINER,
    annotations: CONTAINER,
    mounts: honoured(
      'server/convert/container-status.ts',
      'e2e/container-mounts: the status tells the mounts as they were asked for',
    ),
    log_path: CONTAINER,
    image_id: CONTAINER,
    stop_signal: honoured(
      'server/convert/container-status.ts',
      'e2e/container-lifecycle: the stop signal of the pod wins over SIGTERM, and the status tells it',
    ),
  },
  ContainerResources: {
    linux: honoured(
      'runtime/actual-resources.ts',
      'e2e/container-resources: the status tells what the kernel has, where it is not what was asked for',
    ),
    windows: NOT_LINUX,
  },
  LinuxContainerUser: { uid: USER, gid: USER, supplemental_groups: USER },
};
