// What the kubelet's cAdvisor asks of containerd, answered for our pods: three RPCs, on a socket of their own. Only what
// it uses is in the answers; the specification of a container is an empty one, since the real one has its environment.

import {
  ContainersDefinition,
  type ContainersHandlers,
} from '../../../api/containerd-containers/generated/services.ts';
import { TasksDefinition, type TasksHandlers } from '../../../api/containerd-tasks/generated/services.ts';
import { Status } from '../../../api/containerd-tasks/generated/types.ts';
import {
  VersionDefinition,
  type VersionHandlers,
} from '../../../api/containerd-version/generated/services.ts';
import type { Call } from '../../base/call.ts';
import type { ServedService } from '../serve.ts';
import { getPid, getSubject, type CadvisorDeps, type Subject } from './subjects.ts';

export function cadvisorServices(deps: CadvisorDeps): ServedService[] {
  const version: VersionHandlers<Call> = {
    version: () => Promise.resolve({ version: deps.version, revision: 'davit' }),
  };
  const containers: ContainersHandlers<Call> = {
    get: async (_call, { id }) => ({ container: { id, ...describe(getSubject(deps, id)), spec: SPEC } }),
  };
  const tasks: TasksHandlers<Call> = {
    get: async (_call, { containerId: id }) => {
      const pid = getPid(deps, getSubject(deps, id));
      return { process: { id, pid, status: Status.RUNNING } };
    },
  };
  return [
    { definition: VersionDefinition, handlers: version },
    { definition: ContainersDefinition, handlers: containers },
    { definition: TasksDefinition, handlers: tasks },
  ];
}

/** As containerd has it. */
const SPEC = {
  typeUrl: 'types.containerd.io/opencontainers/runtime-spec/1/Spec',
  value: Buffer.from(JSON.stringify({ ociVersion: '1.0.2', process: { cwd: '/', args: [], env: [] } })),
};

/** By this label cAdvisor knows whose network the container has. */
const KIND = 'io.cri-containerd.kind';

function describe(subject: Subject): { labels: Record<string, string>; image: string } {
  if (subject.kind === 'container') {
    const { labels, image } = subject.container;
    return { labels: { ...labels, [KIND]: 'container' }, image: image.userSpecified || image.name };
  }
  const { labels, metadata } = subject.sandbox.config;
  const { name, namespace, uid } = metadata;
  const own = {
    'io.kubernetes.pod.name': name,
    'io.kubernetes.pod.namespace': namespace,
    'io.kubernetes.pod.uid': uid,
    [KIND]: 'sandbox',
  };
  return { labels: { ...labels, ...own }, image: '' };
}
