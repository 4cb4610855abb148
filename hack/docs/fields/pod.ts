// The messages that describe a pod sandbox.

import { honoured, NOT_LINUX, notApplicable, type FieldRows } from '../field-row.ts';
import { NOTED } from './resources.ts';

const NO_PROCESS = notApplicable('nothing of the pod runs as it: a sandbox has no process of its own');

export const POD_ROWS: FieldRows = {
  RunPodSandboxRequest: {
    runtime_handler: honoured(
      'server/runtime/run-pod-sandbox.ts',
      'e2e/bad-input: an unknown runtime handler is refused by name, with those that there are',
      'e2e/crun: a pod of crun runs, is asked, and goes',
    ),
  },
  PodSandboxConfig: {
    hostname: honoured(
      'sandbox/steps.ts',
      'e2e/sandbox-namespaces: containers have the host name of the pod, in the kernel and in their files',
    ),
    log_directory: honoured(
      'pod/create-container.ts',
      'e2e/container-log: every line has its time, its stream and a tag, in the order in which it was written',
      'e2e/container-log: a log path that leads out of the directory of the pod is refused',
    ),
    labels: honoured(
      'server/convert/sandbox-config.ts',
      'e2e/sandbox: a pod that was run is READY and is told back as it was asked for',
    ),
    annotations: honoured(
      'server/convert/sandbox-config.ts',
      'e2e/container-resources: a class of block devices by annotation limits the container, and an unknown one is refused',
      'e2e/runtime-handlers: it is told of the annotations that its handler allows, and of no others',
      'e2e/sandbox: a pod that was run is READY and is told back as it was asked for',
    ),
    windows: NOT_LINUX,
  },
  PodSandboxMetadata: {
    name: honoured(
      'server/convert/sandbox-config.ts',
      'e2e/sandbox: a pod that was run is READY and is told back as it was asked for',
    ),
    uid: honoured(
      'server/convert/sandbox-config.ts',
      'e2e/sandbox: two pods under one name are told apart by their uid',
    ),
    namespace: honoured(
      'server/convert/sandbox-config.ts',
      'e2e/sandbox: a pod that was run is READY and is told back as it was asked for',
    ),
    attempt: honoured('pod/run-pod.ts', 'e2e/sandbox: the next attempt at the same pod is another pod'),
  },
  DNSConfig: {
    servers: honoured(
      'sandbox/pod-files.ts',
      'e2e/sandbox-namespaces: containers resolve names as the pod says',
    ),
    searches: honoured(
      'sandbox/pod-files.ts',
      'e2e/sandbox-namespaces: containers resolve names as the pod says',
    ),
    options: honoured(
      'sandbox/pod-files.ts',
      'e2e/sandbox-namespaces: containers resolve names as the pod says',
    ),
  },
  PortMapping: {
    protocol: honoured(
      'sandbox/attachment.ts',
      'e2e/network: a port of the node leads to the pod, for as long as the pod is there',
    ),
    container_port: honoured(
      'sandbox/attachment.ts',
      'e2e/network: a port of the node leads to the pod, for as long as the pod is there',
    ),
    host_port: honoured(
      'sandbox/attachment.ts',
      'e2e/network: a port of the node leads to the pod, for as long as the pod is there',
      'e2e/bad-input: a pod with %s is refused',
    ),
    host_ip: honoured(
      'network/request.ts',
      'pkg/network/request: buildRequest() gives a plugin the capabilities that it declares',
    ),
  },
  LinuxPodSandboxConfig: {
    cgroup_parent: honoured(
      'server/convert/sandbox-config.ts',
      'e2e/sandbox-namespaces: the sandbox has a cgroup of its own, named by its id, beside those of its containers',
      'e2e/bad-input: a pod with %s is refused',
    ),
    overhead: NOTED,
    resources: NOTED,
    sysctls: honoured(
      'sys/namespace.ts',
      'e2e/sandbox-namespaces: sysctls hold in the pod and not on the node',
      'e2e/bad-input: a sysctl that the kernel does not have is told by its name, and nothing is left',
    ),
  },
  LinuxSandboxSecurityContext: {
    run_as_user: NO_PROCESS,
    run_as_group: NO_PROCESS,
    readonly_rootfs: NO_PROCESS,
    supplemental_groups: NO_PROCESS,
    supplemental_groups_policy: NO_PROCESS,
    privileged: honoured(
      'pod/create-container.ts',
      'e2e/container-security: a privileged container is refused in a pod that is not',
    ),
    seccomp: honoured(
      'server/convert/sandbox-config.ts',
      'pkg/server/convert/security-profile: type %i with "%s" is refused',
    ),
    seccomp_profile_path: honoured(
      'server/convert/sandbox-config.ts',
      'pkg/server/convert/security-profile: the old string "%s" is refused',
    ),
  },
  NamespaceOption: {
    network: honoured(
      'pod/container-plan.ts',
      'e2e/sandbox-namespaces: containers of a pod share network, ipc and uts with each other, and nothing but users with the node',
      'e2e/sandbox-namespaces: a pod on the network of the node has its interfaces and its host name',
    ),
    ipc: honoured(
      'pod/container-plan.ts',
      'e2e/sandbox-namespaces: containers of a pod share network, ipc and uts with each other, and nothing but users with the node',
      'e2e/sandbox-namespaces: a pod on the ipc namespace of the node sees its /dev/shm',
    ),
    pid: honoured(
      'server/convert/namespace-mode.ts',
      'e2e/sandbox-namespaces: containers of a pod with one pid namespace see each other, below an init that is none of them',
      'e2e/sandbox-namespaces: a container of the pid namespace of the node sees the processes of the node',
      'e2e/sandbox-namespaces: a container has the processes of the node only in a pod that has them',
    ),
    target_id: honoured(
      'pod/container-plan.ts',
      'e2e/sandbox-namespaces: a container may look into the pid namespace of another one of its pod',
      'e2e/bad-input: a container with %s is refused',
    ),
  },
  UserNamespace: {
    mode: honoured(
      'server/convert/user-namespace.ts',
      'e2e/user-namespaces: root of the pod is another user on the node, and owns its files',
      'e2e/user-namespaces: user namespaces like %o are refused',
    ),
  },
  IDMapping: {
    host_id: honoured(
      'server/convert/user-namespace.ts',
      'e2e/user-namespaces: root of the pod is another user on the node, and owns its files',
      'e2e/user-namespaces: volumes are shown to the pod as if their owners were its own',
    ),
    container_id: honoured(
      'server/convert/user-namespace.ts',
      'e2e/user-namespaces: user namespaces like %o are refused',
    ),
    length: honoured(
      'server/convert/user-namespace.ts',
      'e2e/user-namespaces: a container that differs from its pod is refused, with its mounts and its user',
    ),
  },
};
