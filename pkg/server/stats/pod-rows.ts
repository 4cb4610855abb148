// The rows of all metrics of pods, exact, for whoever puts them into words. Each container has rows of its own. Those
// with the container `POD` are about the pod's network, and about what runs in the pod but in no container, if there
// is such a thing: so that the sum of all rows is the pod's, and nothing counts twice.

import { timeOfDayNs } from '../../base/clock.ts';
import type { Call } from '../../base/call.ts';
import type { ContainerId, SandboxId } from '../../base/id.ts';
import type { Container } from '../../container/container.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { GROUP_METRICS } from '../../stats/metrics/catalogue.ts';
import { LIFE_METRICS } from '../../stats/metrics/life.ts';
import type { Metric } from '../../stats/metrics/metric.ts';
import { NETWORK_METRICS } from '../../stats/metrics/network.ts';
import type { DiskCapacity, GroupUsage, NetworkUsage, TreeUsage } from '../../stats/usage.ts';
import type { StatsDeps } from './deps.ts';
import { hasNetwork } from './pod-usage.ts';
import { bySandbox, listUsingContainers } from './subjects.ts';

export interface Row {
  readonly metric: Omit<Metric<never>, 'read'>;
  /** The values of BASE_LABEL_KEYS, then those of the metric's own. */
  readonly labels: readonly string[];
  readonly value: number;
  readonly takenAtNs: bigint;
}

export interface PodRows {
  readonly sandboxId: SandboxId;
  readonly rows: readonly Row[];
  readonly containers: readonly { readonly containerId: ContainerId; readonly rows: readonly Row[] }[];
}

interface Sampled {
  readonly groups: ReadonlyMap<string, GroupUsage>;
  readonly networks: ReadonlyMap<string, NetworkUsage>;
  readonly layers: ReadonlyMap<string, TreeUsage>;
  readonly capacity: DiskCapacity;
}

/** What all rows of a container have in common. */
interface Common {
  /** id, image, namespace, pod, container */
  readonly labels: readonly string[];
  readonly takenAtNs: bigint;
}

/**
 * Samples everything at once, and then makes the rows of one pod after another, as they are fetched: there are some
 * 80 for each container.
 */
export async function sampleRows(
  deps: StatsDeps,
  call: Call,
  sandboxes: readonly Sandbox[],
): Promise<Iterable<PodRows>> {
  const containersOf = bySandbox(listUsingContainers(deps));
  const containers = sandboxes.flatMap(({ id }) => containersOf.get(id) ?? []);
  const [groups, networks, layers, capacity] = await Promise.all([
    deps.stats.detailedGroups(
      call,
      [...containers, ...sandboxes.filter(hasInit)].map(({ cgroupPath }) => cgroupPath),
    ),
    deps.stats.networks(
      call,
      sandboxes.filter(hasNetwork).map(({ id }) => id),
    ),
    deps.stats.layers(
      call,
      containers.map(({ id }) => id),
    ),
    deps.stats.capacity(),
  ]);
  const sampled = { groups, networks, layers, capacity };
  return sandboxes.values().map((sandbox) => toPodRows(sampled, sandbox, containersOf.get(sandbox.id) ?? []));
}

function toPodRows(sampled: Sampled, sandbox: Sandbox, containers: readonly Container[]): PodRows {
  return {
    sandboxId: sandbox.id,
    rows: toOwnRows(sampled, sandbox),
    containers: containers
      .map((container) => toContainerRows(sampled, sandbox, container))
      .filter((rows) => rows !== undefined),
  };
}

/** Without a pid namespace of the pod, nothing runs in it but containers. */
function hasInit({ config }: Sandbox): boolean {
  return config.pid === 'pod';
}

function toOwnRows({ groups, networks, capacity }: Sampled, sandbox: Sandbox): Row[] {
  const { id, config, cgroupPath, createdAtNs } = sandbox;
  const usage = groups.get(cgroupPath);
  const network = networks.get(id);
  const takenAtNs = network?.takenAtNs ?? usage?.takenAtNs ?? timeOfDayNs();
  const common = { labels: [id, '', config.metadata.namespace, config.metadata.name, 'POD'], takenAtNs };
  return [
    ...toRows(LIFE_METRICS, { seenAtNs: takenAtNs, startedAtNs: createdAtNs }, common),
    ...(network === undefined ? [] : toRows(NETWORK_METRICS, network, common)),
    ...(isDetailed(usage) ? toRows(GROUP_METRICS, { usage, capacity }, common) : []),
  ];
}

function toContainerRows(
  { groups, layers, capacity }: Sampled,
  { config }: Sandbox,
  container: Container,
): PodRows['containers'][number] | undefined {
  const { id, image, metadata, state, createdAtNs, resources } = container;
  const usage = groups.get(container.cgroupPath);
  if (!isDetailed(usage)) return undefined; // it has just ended
  const imageName = image.userSpecified === '' ? image.name : image.userSpecified;
  const { takenAtNs } = usage;
  const { namespace, name: pod } = config.metadata;
  const common = { labels: [id, imageName, namespace, pod, metadata.name], takenAtNs };
  const startedAtNs = 'startedAtNs' in state ? state.startedAtNs : createdAtNs;
  const subject = { usage, layer: layers.get(id), capacity, cpuShares: resources?.cpuShares };
  const rows = [
    ...toRows(LIFE_METRICS, { seenAtNs: takenAtNs, startedAtNs }, common),
    ...toRows(GROUP_METRICS, subject, common),
  ];
  return { containerId: id, rows };
}

type DetailedUsage = GroupUsage & { readonly detail: NonNullable<GroupUsage['detail']> };

function isDetailed(usage: GroupUsage | undefined): usage is DetailedUsage {
  return usage?.detail !== undefined;
}

function toRows<Subject>(
  metrics: readonly Metric<Subject>[],
  subject: Subject,
  { labels, takenAtNs }: Common,
): Row[] {
  return metrics.flatMap((metric) =>
    metric.read(subject).map((sample) => ({
      metric,
      takenAtNs,
      labels: sample.labels.length === 0 ? labels : [...labels, ...sample.labels],
      value: sample.value,
    })),
  );
}
