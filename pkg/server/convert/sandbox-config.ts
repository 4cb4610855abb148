// CRI's PodSandboxConfig, checked and in our words.

import { isIP } from 'node:net';
import {
  Protocol,
  protocolName,
  type DNSConfig,
  type LinuxSandboxSecurityContext,
  type PodSandboxConfig,
  type PodSandboxMetadata,
  type PortMapping,
} from '../../../api/cri/generated/types.ts';
import type { ProfileChoice } from '../../runtime/security-profile.ts';
import type { SandboxConfig, SandboxMetadata } from '../../sandbox/sandbox.ts';
import { checkLengths, refuse, required, toAbsolutePath } from './field.ts';
import { toPodNamespaces } from './namespace-mode.ts';
import { toPodResources } from './resources.ts';
import { toSelinux } from './selinux.ts';
import { toProfileChoice } from './security-profile.ts';

/** The longest host name of the kernel, in bytes. Source: hostname(7). */
const MAX_HOSTNAME_BYTES = 64;

/**
 * @param handler as resolved: never ''
 * @throws {Fault} invalid_argument — a field is missing or makes no sense; unimplemented — not yet possible
 */
export function toSandboxConfig(config: PodSandboxConfig, handler: string): SandboxConfig {
  const { linux } = config;
  const security = linux?.securityContext;
  checkSeccomp(security);
  checkLengths({ 'config.port_mappings': config.portMappings });
  const namespaces = toPodNamespaces(security?.namespaceOptions);
  return {
    metadata: toMetadata(config.metadata),
    hostname: toHostname(config.hostname),
    logDirectory:
      config.logDirectory === '' ? '' : toAbsolutePath(config.logDirectory, 'config.log_directory'),
    dns: toDns(config.dnsConfig),
    portMappings: config.portMappings.map(toPortMapping),
    labels: config.labels,
    annotations: config.annotations,
    cgroupParent: toCgroupParent(linux?.cgroupParent ?? ''),
    sysctls: toSysctls(linux?.sysctls ?? {}, namespaces),
    ...namespaces,
    privileged: security?.privileged ?? false,
    ...toPodSelinux(security),
    ...toPodResources(linux),
    handler,
  };
}

function toMetadata(metadata: PodSandboxMetadata | undefined): SandboxMetadata {
  const { name, uid, namespace, attempt } = required(metadata, 'config.metadata');
  return {
    name: required(name, 'config.metadata.name'),
    uid: required(uid, 'config.metadata.uid'),
    namespace: required(namespace, 'config.metadata.namespace'),
    attempt,
  };
}

function toHostname(hostname: string): string {
  if (Buffer.byteLength(hostname) > MAX_HOSTNAME_BYTES || /[\s\p{Cc}/]/u.test(hostname)) {
    throw refuse('config.hostname', hostname, `is not a host name of at most ${MAX_HOSTNAME_BYTES} letters`);
  }
  return hostname;
}

/** Each becomes a word of /etc/resolv.conf, and must not become a line of its own. */
function toDns(dns: DNSConfig | undefined): DNSConfig | undefined {
  for (const name of ['servers', 'searches', 'options'] as const) {
    const bad = dns?.[name].find((word) => word === '' || /[\s\p{Cc}]/u.test(word));
    if (bad !== undefined) throw refuse(`config.dns_config.${name}`, bad, 'is not one word');
  }
  return dns;
}

const PROTOCOLS: ReadonlyMap<number, 'tcp' | 'udp' | 'sctp'> = new Map([
  [Protocol.TCP, 'tcp'],
  [Protocol.UDP, 'udp'],
  [Protocol.SCTP, 'sctp'],
]);

function toPortMapping(mapping: PortMapping, index: number): SandboxConfig['portMappings'][number] {
  const at = `config.port_mappings[${index}]`;
  const protocol = PROTOCOLS.get(mapping.protocol);
  if (protocol === undefined) throw refuse(`${at}.protocol`, protocolName(mapping.protocol), 'is not known');
  const { containerPort, hostPort, hostIp } = mapping;
  for (const [name, port] of Object.entries({ container_port: containerPort, host_port: hostPort })) {
    if (port < 0 || port > 65535) throw refuse(`${at}.${name}`, port, 'is not a port');
  }
  if (hostIp !== '' && isIP(hostIp) === 0) throw refuse(`${at}.host_ip`, hostIp, 'is not an address');
  return { protocol, containerPort, hostPort, hostIp };
}

/** A cgroup path becomes part of paths on the host: it must not climb. */
function toCgroupParent(parent: string): string {
  if (/(^|\/)\.\.?(\/|$)|\0/.test(parent))
    throw refuse('config.linux.cgroup_parent', parent, 'is not a plain path');
  return parent;
}

/** Sysctls that belong to a namespace; others would change the node. Source: runc's and the kubelet's lists. */
const IPC_SYSCTL = /^(kernel\.(msg|sem|shm)\w*|fs\.mqueue\.\w+)$/;
const NET_SYSCTL = /^net\.[\w.-]+(\/[\w.-]+)*$/;

function toSysctls(
  sysctls: Readonly<Record<string, string>>,
  { network, ipc }: Pick<SandboxConfig, 'network' | 'ipc'>,
): Readonly<Record<string, string>> {
  for (const [name, value] of Object.entries(sysctls)) {
    if (/[^\P{Cc}\t]/u.test(value)) throw refuse(`config.linux.sysctls["${name}"]`, value, 'is not one line');
    const isOurs =
      (NET_SYSCTL.test(name) && network === 'pod' && !name.includes('..')) ||
      (IPC_SYSCTL.test(name) && ipc === 'pod');
    if (!isOurs) {
      throw refuse(
        'config.linux.sysctls',
        name,
        'does not belong to a namespace that the pod has of its own',
      );
    }
  }
  return sysctls;
}

const SECURITY = 'config.linux.security_context';

/** Nothing of the pod's runs under it: the init has the runtime's own profile, containers have theirs. */
function checkSeccomp(security: LinuxSandboxSecurityContext | undefined): void {
  toProfileChoice(security?.seccomp, security?.seccompProfilePath ?? '', {
    field: `${SECURITY}.seccomp`,
    oldField: `${SECURITY}.seccomp_profile_path`,
  });
}

function toPodSelinux(security: LinuxSandboxSecurityContext | undefined): Pick<SandboxConfig, 'selinux'> {
  return { selinux: toSelinux(security?.selinuxOptions, `${SECURITY}.selinux_options`) };
}

/** @throws {Fault} invalid_argument — what is asked for makes no sense */
export function toPodAppArmor({ linux }: PodSandboxConfig): ProfileChoice {
  const field = `${SECURITY}.apparmor`;
  return toProfileChoice(linux?.securityContext?.apparmor, '', { field, oldField: field });
}
