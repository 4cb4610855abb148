// What a container or a pod may use, and the calls that change it.

import {
  honoured,
  NOT_LINUX,
  notApplicable,
  type FieldRow,
  type FieldRows,
  type TestName,
} from '../field-row.ts';

function limit(...more: readonly TestName[]): FieldRow {
  return honoured(
    'runtime/resources.ts',
    'e2e/container-resources: limits stand in the cgroup of the container, and in its status',
    ...more,
  );
}

const HUGEPAGES = honoured(
  'runtime/resources.ts',
  'e2e/container-resources: huge pages have the limit that was asked for, where the kernel counts them',
  'pkg/runtime/resources: leaves huge pages out where the kernel does not limit them',
);

/** The pod's cgroup is the kubelet's, and has these limits already. */
export const NOTED = honoured(
  'sandbox/update.ts',
  'e2e/container-resources: the kubelet tells of the resources of a whole pod, which are noted and survive the daemon',
);

export const RESOURCE_ROWS: FieldRows = {
  UpdateContainerResourcesRequest: {
    container_id: honoured(
      'server/runtime/update-container-resources.ts',
      'e2e/bad-input: %s of an id that nobody has names it',
      'e2e/container-resources: limits of a container that has ended are not changed',
    ),
    linux: honoured(
      'container/update.ts',
      'e2e/container-resources: an update changes what it names and leaves the rest, in the kernel and in the status',
      'e2e/container-resources: an update that the kernel refuses in part changes nothing',
      'e2e/container-resources: an update that fails takes a limit away again that was not there before',
    ),
    windows: NOT_LINUX,
    annotations: notApplicable('no annotation means a limit that could be changed'),
  },
  UpdatePodSandboxResourcesRequest: {
    pod_sandbox_id: honoured(
      'sandbox/update.ts',
      'e2e/container-resources: resources of a pod that no kernel takes are refused, and so are those of a stopped pod',
    ),
    overhead: NOTED,
    resources: NOTED,
  },
  LinuxContainerResources: {
    cpu_period: limit(),
    cpu_quota: limit(),
    cpu_shares: limit(),
    memory_limit_in_bytes: limit(
      'e2e/container-resources: a container that takes more memory than it may has the reason OOMKilled',
    ),
    oom_score_adj: honoured(
      'runtime/oom-score.ts',
      'e2e/container-resources: oom_score_adj is what was asked for',
      'e2e/container-resources: an oom_score_adj that the node may not give does not keep the container from running',
    ),
    cpuset_cpus: limit('e2e/bad-input: a container with %s is refused'),
    cpuset_mems: limit(),
    unified: honoured(
      'runtime/resources.ts',
      'e2e/container-resources: files of cgroup version 2 have what was asked for, and on version 1 they are refused',
    ),
    memory_swap_limit_in_bytes: honoured(
      'runtime/resources.ts',
      'e2e/container-resources: memory and swap together have the limit that was asked for, and without one there is no swap',
      'pkg/runtime/resources: leaves swap out where the kernel does not limit it',
    ),
  },
  HugepageLimit: {
    page_size: HUGEPAGES,
    limit: HUGEPAGES,
  },
};
