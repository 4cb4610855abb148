// The messages that describe a container, but for what it may do and use.

import { honoured, NOT_LINUX, notApplicable, type FieldRows } from '../field-row.ts';

const TOLD_BACK = honoured(
  'server/convert/container-status.ts',
  'e2e/container-lifecycle: a container is told back as it was asked for',
);

export const CONTAINER_ROWS: FieldRows = {
  CreateContainerRequest: {
    pod_sandbox_id: honoured(
      'pod/create-container.ts',
      'e2e/container-lifecycle: a created container is there but does not run',
      'e2e/container-lifecycle: a container is not created in a pod that is stopped',
    ),
    sandbox_config: notApplicable('it repeats what RunPodSandbox said, which is what counts'),
  },
  ContainerConfig: {
    command: honoured(
      'pod/container-plan.ts',
      'e2e/container-process: a container without a command runs that of its image',
      'e2e/container-process: arguments follow the command',
    ),
    args: honoured(
      'pod/container-plan.ts',
      'e2e/container-process: arguments follow the command',
      'e2e/container-process: arguments alone replace the command of the image, when it has no entrypoint',
    ),
    working_dir: honoured(
      'pod/container-plan.ts',
      'e2e/container-process: the working directory is that of the image, unless the pod says another',
      'e2e/container-process: a working directory that is missing is made',
    ),
    labels: TOLD_BACK,
    annotations: TOLD_BACK,
    log_path: honoured(
      'pod/create-container.ts',
      'e2e/container-log: every line has its time, its stream and a tag, in the order in which it was written',
      'e2e/container-log: a log path that leads out of the directory of the pod is refused',
      'e2e/container-log: a container without a log path runs and writes none',
    ),
    stdin: honoured(
      'runtime/conmon.ts',
      'e2e/attach: several clients see the same from then on until the container ends, and all of it',
    ),
    stdin_once: honoured(
      'runtime/conmon.ts',
      'e2e/attach: input that is for one client ends when that leaves, but not when a listener does',
      'e2e/attach: input that is for many goes on when one leaves',
    ),
    tty: honoured('runtime/spec.ts', 'e2e/container-process: a container with a terminal has one'),
    windows: NOT_LINUX,
    stop_signal: honoured(
      'pod/create-container.ts',
      'e2e/container-lifecycle: the stop signal of the pod wins over SIGTERM, and the status tells it',
      'e2e/bad-input: a container with %s is refused',
    ),
  },
  ContainerMetadata: {
    name: TOLD_BACK,
    attempt: honoured(
      'pod/create-container.ts',
      'e2e/container-lifecycle: the same attempt asked for twice is one container, until it is started',
      'e2e/container-lifecycle: the next attempt of a container of the same name is another container',
    ),
  },
  ImageSpec: {
    image: honoured(
      'pod/create-container.ts',
      'e2e/image: an image is found by its id, by the id without its algorithm, and by each of its names',
      'e2e/image-failures: a container of an image that was never pulled is refused by the name',
    ),
    annotations: notApplicable('a kubelet fills them from the pod, and no runtime gives them a meaning'),
    user_specified_image: TOLD_BACK,
    runtime_handler: notApplicable('layers are unpacked in the same way for every runtime handler'),
    image_ref: honoured(
      'server/convert/container-status.ts',
      'e2e/image-volumes: the status tells which image is mounted, and the image is kept as long as the container is',
    ),
  },
  KeyValue: {
    key: honoured(
      'runtime/spec.ts',
      'e2e/container-process: variables of the pod come after those of the image, and win',
      'e2e/bad-input: a container with %s is refused',
    ),
    value: honoured(
      'runtime/spec.ts',
      'e2e/container-process: a variable may hold newlines, quotes and letters of any script',
    ),
  },
  Mount: {
    container_path: honoured(
      'runtime/mounts.ts',
      'e2e/container-mounts: a directory of the node can be read and written where it is mounted',
      'e2e/container-mounts: a link of the image that leads out of it does not lead out',
    ),
    host_path: honoured(
      'pod/container-mounts.ts',
      'e2e/container-mounts: a directory of the node can be read and written where it is mounted',
      'e2e/container-mounts: a source that is missing is made as a directory',
      'e2e/container-mounts: a source that is a link is followed on the node',
    ),
    readonly: honoured('runtime/mounts.ts', 'e2e/container-mounts: a read-only mount cannot be written to'),
    selinux_relabel: honoured(
      'runtime/selinux/relabel/relabel.ts',
      'pkg/runtime/selinux/relabel/relabel: relabel() labels a directory and all below it, links themselves and not what they lead to',
      'pkg/pod/container-labels: toRelabelOrder() names what asks for it, where it is on the node, and the volumes of the image',
      'e2e/selinux: without SELinux labels that are asked for mean nothing, and Status says that it is off',
    ),
    propagation: honoured(
      'runtime/mounts.ts',
      'e2e/container-mounts: a mount made on the node later is seen where propagation was asked for, and nowhere else',
      'e2e/container-mounts: a mount made in the container is seen on the node where both ways were asked for',
      'e2e/container-mounts: propagation that a mount of the node does not have is refused',
    ),
    recursive_read_only: honoured(
      'runtime/mounts.ts',
      'e2e/recursive-readonly: the status tells for each handler whether it can',
      'e2e/recursive-readonly: a handler that cannot refuses in words that the kubelet knows',
    ),
    image: honoured(
      'image/image-volumes.ts',
      'e2e/image-volumes: an image can be read where it is mounted, and not be written',
    ),
    image_sub_path: honoured(
      'image/image-volumes.ts',
      'e2e/image-volumes: a sub path of an image can be mounted, be it a file',
    ),
    mount_options: honoured(
      'runtime/mounts.ts',
      'e2e/container-mounts: a mount has the options that it was asked to have, and the status tells them',
      'e2e/container-mounts: a mount option that would give something is refused by name',
    ),
  },
  Device: {
    container_path: honoured(
      'runtime/host-devices.ts',
      'e2e/container-security: a device of the node is there under the name that was asked for',
    ),
    host_path: honoured(
      'runtime/host-devices.ts',
      'e2e/container-security: a device of the node is there under the name that was asked for',
      'e2e/container-security: a device that the node does not have is refused by its path',
    ),
    permissions: honoured(
      'runtime/devices.ts',
      'e2e/container-security: a device may be used as far as was asked for, and no further',
      'e2e/bad-input: a container with %s is refused',
    ),
  },
  CDIDevice: {
    name: honoured(
      'runtime/cdi/registry.ts',
      'e2e/cdi: a container gets all that its device brings: node, variables, mounts, groups, hooks',
      'e2e/cdi: a device that is not there is refused by name, and nothing is left',
    ),
  },
};
