// What a plugin is given: its configuration on standard input and the parameters in its environment.

import { Fault } from '../base/fault.ts';
import type { SandboxId } from '../base/id.ts';
import type { NetworkConfigList, PluginConfig } from './network-config.ts';
import { POD_INTERFACE, type PodAttachment, type PortMapping } from './pod-attachment.ts';
import { isAtLeast } from './cni-version.ts';

export type CniCommand = 'ADD' | 'DEL' | 'CHECK' | 'STATUS' | 'GC';

/** No limit on bursts, as the kubelet and its runtimes have always said it. */
const UNLIMITED_BURST = 2 ** 31 - 1;

/**
 * Derives the configuration for one invocation of a plugin.
 *
 * @param previous the result of the plugin before (ADD) or of the whole ADD (DEL, CHECK)
 * Source: CNI specification, "Deriving request configuration from plugin configuration".
 */
export function buildRequest(
  list: NetworkConfigList,
  plugin: PluginConfig,
  pod?: PodAttachment,
  previous?: unknown,
): Record<string, unknown> {
  const { capabilities = {}, ...own } = plugin;
  const passed = Object.entries(own).filter(([key]) => !isReserved(key));
  const runtimeConfig = pod === undefined ? {} : selectCapabilities(capabilities, pod);
  return {
    ...Object.fromEntries(passed),
    name: list.name,
    cniVersion: list.cniVersion,
    ...(Object.keys(runtimeConfig).length === 0 ? {} : { runtimeConfig }),
    ...(previous === undefined ? {} : { prevResult: previous }),
  };
}

/**
 * What a plugin is given with GC: the pods of its network that there are. What it holds for any other may go.
 *
 * The second key is that of an error in the specification, which plugins were written from.
 */
export function buildGarbageRequest(
  list: NetworkConfigList,
  plugin: PluginConfig,
  pods: readonly SandboxId[],
): Record<string, unknown> {
  const attachments = pods.map((containerID) => ({ containerID, ifname: POD_INTERFACE }));
  return {
    ...buildRequest(list, plugin),
    'cni.dev/valid-attachments': attachments,
    'cni.dev/attachments': attachments,
  };
}

/** Keys that only a runtime may write: what a file says there must not pass for ours. */
function isReserved(key: string): boolean {
  return key === 'runtimeConfig' || key === 'prevResult' || key.startsWith('cni.dev/');
}

/** The previous result that DEL gets: older versions of the specification know none. */
export function previousForDel(list: NetworkConfigList, previous: unknown): unknown {
  return isAtLeast(list.cniVersion, '0.4.0') ? previous : undefined;
}

function selectCapabilities(
  declared: Readonly<Record<string, boolean>>,
  pod: PodAttachment,
): Record<string, unknown> {
  const offered = offeredCapabilities(pod);
  return Object.fromEntries(
    Object.entries(offered).filter(([key, value]) => declared[key] === true && value !== undefined),
  );
}

/** Everything that we can tell a plugin about the pod; what does not apply to the pod is `undefined`. */
function offeredCapabilities(pod: PodAttachment): Record<string, unknown> {
  const { bandwidth } = pod;
  return {
    portMappings: unlessEmpty(pod.portMappings.filter(({ hostPort }) => hostPort > 0).map(toPortMapping)),
    bandwidth: bandwidth && {
      ...(bandwidth.ingressRate === undefined
        ? {}
        : { ingressRate: bandwidth.ingressRate, ingressBurst: UNLIMITED_BURST }),
      ...(bandwidth.egressRate === undefined
        ? {}
        : { egressRate: bandwidth.egressRate, egressBurst: UNLIMITED_BURST }),
    },
    ipRanges: unlessEmpty(pod.ipRanges ?? []),
    dns: pod.dns,
    cgroupPath: pod.cgroupPath,
    'io.kubernetes.cri.pod-annotations':
      Object.keys(pod.annotations).length === 0 ? undefined : pod.annotations,
  };
}

function unlessEmpty<T>(values: readonly T[]): readonly T[] | undefined {
  return values.length === 0 ? undefined : values;
}

function toPortMapping({ protocol, containerPort, hostPort, hostIp }: PortMapping): object {
  return { hostPort, containerPort, protocol, ...(hostIp === '' ? {} : { hostIP: hostIp }) };
}

/** Programs that plugins call, such as iptables, are found here. */
const SEARCH_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The environment of a plugin; without `pod` that of a command which concerns none. */
export function buildEnvironment(
  command: CniCommand,
  binDirs: readonly string[],
  pod?: PodAttachment,
): Record<string, string> {
  const common = { PATH: SEARCH_PATH, CNI_COMMAND: command, CNI_PATH: binDirs.join(':') };
  if (pod === undefined) return common;
  return {
    ...common,
    CNI_CONTAINERID: pod.id,
    CNI_NETNS: pod.netnsPath ?? '',
    CNI_IFNAME: POD_INTERFACE,
    CNI_ARGS: buildArgs(pod),
  };
}

/** What a value in CNI_ARGS cannot contain: it would become another key, or be cut off. */
const UNFIT_FOR_ARGS = /[;=\0-\x1f\x7f]/;

function podArgs(pod: PodAttachment): [string, string][] {
  return [
    ['K8S_POD_NAMESPACE', pod.namespace],
    ['K8S_POD_NAME', pod.name],
    ['K8S_POD_INFRA_CONTAINER_ID', pod.id],
    ['K8S_POD_UID', pod.uid],
  ];
}

/** A value that cannot be written is left out: `checkArgs()` kept it from ever being added. */
function buildArgs(pod: PodAttachment): string {
  const args = podArgs(pod).filter(([, value]) => !UNFIT_FOR_ARGS.test(value));
  return [['IgnoreUnknown', '1'], ...args].map(([key, value]) => `${String(key)}=${String(value)}`).join(';');
}

/**
 * Refuses a pod whose names would smuggle arguments to plugins: `web;IP=10.0.0.1`.
 *
 * @throws {Fault} invalid_argument
 */
export function checkArgs(pod: PodAttachment): void {
  const unfit = podArgs(pod).find(([, value]) => UNFIT_FOR_ARGS.test(value));
  if (unfit === undefined) return;
  const [key, value] = unfit;
  throw new Fault('invalid_argument', `cannot pass ${JSON.stringify(value)} to network plugins as "${key}"`);
}
