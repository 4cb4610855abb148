// What `davitctl run` is told, as the configuration of a pod and of its one container. Pure.

import {
  MountPropagation,
  NamespaceMode,
  Protocol,
  type ContainerConfigInit,
  type LinuxContainerResourcesInit,
  type MountInit,
  type PodSandboxConfigInit,
  type PortMappingInit,
} from '../../api/cri/generated/types.ts';
import { DEFAULT_MASKED_PATHS, DEFAULT_READONLY_PATHS } from '../../pkg/runtime/spec.ts';
import { UsageError } from './explain.ts';
import {
  CONTAINER_NAME_LABEL,
  parsePairs,
  POD_NAME_LABEL,
  POD_NAMESPACE_LABEL,
  POD_UID_LABEL,
} from './labels.ts';
import { LOG_DIRECTORY_ANNOTATION, NAME_PATTERN } from './own-pod.ts';

export interface RunValues {
  readonly namespace?: string;
  readonly publish?: readonly string[];
  readonly env?: readonly string[];
  readonly label?: readonly string[];
  readonly volume?: readonly string[];
  readonly entrypoint?: string;
  readonly user?: string;
  readonly workdir?: string;
  readonly hostname?: string;
  readonly memory?: string;
  readonly cpus?: string;
  readonly 'host-network'?: boolean;
  readonly 'host-pid'?: boolean;
  readonly 'cgroup-parent'?: string;
  readonly 'read-only'?: boolean;
  readonly privileged?: boolean;
}

export interface PodIdentity {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly logDirectory: string;
}

/** @throws {UsageError} */
export function podConfig(values: RunValues, pod: PodIdentity): PodSandboxConfigInit {
  const { name, namespace, uid, logDirectory } = pod;
  return {
    metadata: { name, namespace, uid, attempt: 0 },
    hostname: values['host-network'] === true ? '' : (values.hostname ?? name),
    logDirectory,
    portMappings: (values.publish ?? []).map(parsePort),
    labels: { ...parsePairs('--label', values.label), ...kubernetesLabels(pod) },
    annotations: { [LOG_DIRECTORY_ANNOTATION]: logDirectory },
    linux: {
      cgroupParent: values['cgroup-parent'],
      securityContext: { namespaceOptions: namespaces(values), privileged: values.privileged },
    },
  };
}

/** @throws {UsageError} */
export function containerConfig(
  values: RunValues,
  pod: PodIdentity,
  container: { readonly name: string; readonly image: string; readonly command: readonly string[] },
): ContainerConfigInit {
  const envs = Object.entries(parsePairs('--env', values.env));
  return {
    metadata: { name: container.name, attempt: 0 },
    image: { image: container.image },
    command: values.entrypoint === undefined ? [] : [values.entrypoint],
    args: container.command,
    workingDir: values.workdir,
    envs: envs.map(([key, value]) => ({ key, value: Buffer.from(value) })),
    mounts: (values.volume ?? []).map(parseVolume),
    labels: {
      ...parsePairs('--label', values.label),
      ...kubernetesLabels(pod),
      [CONTAINER_NAME_LABEL]: container.name,
    },
    logPath: `${container.name}.log`,
    linux: {
      resources: resources(values),
      securityContext: {
        namespaceOptions: namespaces(values),
        privileged: values.privileged,
        readonlyRootfs: values['read-only'],
        ...(values.privileged === true
          ? {}
          : { maskedPaths: DEFAULT_MASKED_PATHS, readonlyPaths: DEFAULT_READONLY_PATHS }),
        ...parseUser(values.user),
      },
    },
  };
}

function kubernetesLabels({ name, namespace, uid }: PodIdentity): Record<string, string> {
  return { [POD_NAME_LABEL]: name, [POD_NAMESPACE_LABEL]: namespace, [POD_UID_LABEL]: uid };
}

function namespaces(values: RunValues): { network: NamespaceMode; pid: NamespaceMode } {
  return {
    network: values['host-network'] === true ? NamespaceMode.NODE : NamespaceMode.POD,
    pid: values['host-pid'] === true ? NamespaceMode.NODE : NamespaceMode.CONTAINER,
  };
}

const PORT = /^(?:(\[[0-9a-fA-F:.]+\]|[0-9.]+):)?(\d{1,5}):(\d{1,5})(?:\/(tcp|udp|sctp))?$/;
const PROTOCOLS: Readonly<Record<string, Protocol>> = {
  tcp: Protocol.TCP,
  udp: Protocol.UDP,
  sctp: Protocol.SCTP,
};

/** `[ADDRESS:]HOST:CONTAINER[/PROTOCOL]` */
function parsePort(text: string): PortMappingInit {
  const [, hostIp = '', host = '', container = '', protocol = 'tcp'] = PORT.exec(text) ?? [];
  const [hostPort, containerPort] = [Number(host), Number(container)];
  if (![hostPort, containerPort].every((port) => port >= 1 && port <= 65_535)) {
    throw new UsageError(`--publish takes [ADDRESS:]HOST:CONTAINER[/PROTOCOL], not "${text}"`);
  }
  return {
    hostIp: hostIp.replaceAll(/[[\]]/g, ''),
    hostPort,
    containerPort,
    protocol: PROTOCOLS[protocol],
  };
}

/** `/host/path:/container/path[:ro]` */
function parseVolume(text: string): MountInit {
  const [hostPath = '', containerPath = '', mode = 'rw', more] = text.split(':');
  const absolute = hostPath.startsWith('/') && containerPath.startsWith('/');
  if (!absolute || !['rw', 'ro'].includes(mode) || more !== undefined) {
    throw new UsageError(`--volume takes /HOST/PATH:/CONTAINER/PATH[:ro], not "${text}"`);
  }
  return {
    hostPath,
    containerPath,
    readonly: mode === 'ro',
    propagation: MountPropagation.PROPAGATION_PRIVATE,
  };
}

interface User {
  readonly runAsUser?: { value: bigint };
  readonly runAsGroup?: { value: bigint };
  readonly runAsUsername?: string;
}

/** `UID`, `UID:GID`, `NAME` or `NAME:GID` */
function parseUser(text: string | undefined): User {
  if (text === undefined) return {};
  const [, user = '', group] = /^([^:]+)(?::(\d{1,10}))?$/.exec(text) ?? [];
  if (user === '') throw new UsageError(`--user takes USER or USER:GID, not "${text}"`);
  const runAsGroup = group === undefined ? {} : { runAsGroup: { value: BigInt(group) } };
  if (/^\d{1,10}$/.test(user)) return { runAsUser: { value: BigInt(user) }, ...runAsGroup };
  return { runAsUsername: user, ...runAsGroup };
}

const CPU_PERIOD_US = 100_000;
const UNITS: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };

function resources({ memory, cpus }: RunValues): LinuxContainerResourcesInit {
  const limit = memory === undefined ? {} : { memoryLimitInBytes: parseMemory(memory) };
  if (cpus === undefined) return limit;
  const quota = Math.round(Number(cpus) * CPU_PERIOD_US);
  if (!(quota >= 1000)) throw new UsageError(`--cpus takes a number such as 0.5, not "${cpus}"`);
  return { ...limit, cpuPeriod: BigInt(CPU_PERIOD_US), cpuQuota: BigInt(quota) };
}

/** `64m` */
function parseMemory(text: string): bigint {
  const [, number, unit = ''] = /^(\d{1,12})([kmg]?)$/i.exec(text) ?? [];
  if (number === undefined) throw new UsageError(`--memory takes bytes such as 64m or 1g, not "${text}"`);
  return BigInt(number) * BigInt(UNITS[unit.toLowerCase()] ?? 1);
}

/** `registry.example.com/team/Web_App:2` is `web-app`. */
export function nameFromImage(image: string): string {
  const last = image.split('@')[0]?.split('/').at(-1)?.split(':')[0] ?? '';
  const name = last
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 50)
    .replaceAll(/^-+|-+$/g, '');
  return name === '' ? 'container' : name;
}

/** @throws {UsageError} */
export function expectName(option: string, name: string): string {
  if (NAME_PATTERN.test(name)) return name;
  throw new UsageError(`${option} takes lower-case letters, digits and "-", at most 63, not "${name}"`);
}
