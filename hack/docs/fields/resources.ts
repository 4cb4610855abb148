// What a container or a pod may use, and the calls that change it.

import {
  honoured,
  NOT_LINUX,
  notApplicable,
  open,
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
    ),
    windows: NOT_LINUX,
    annotations: notApplicable('no annotation means a limit that could be changed'),
  },
  UpdatePodSandboxResourcesRequest: {
    pod_sandbox_id: open('the call is UNIMPLEMENTED'),
    overhead: open('the call is UNIMPLEMENTED'),
    resources: open('the call is UNIMPLEMENTED'),
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
    unified: open('a test over the socket'),
    memory_swap_limit_in_bytes: open('a test over the socket'),
  },
  HugepageLimit: {
    page_size: open('a test over the socket'),
    limit: open('a test over the socket'),
  },
};
