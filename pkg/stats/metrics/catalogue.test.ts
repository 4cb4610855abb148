import { expect, test } from 'vitest';
import { aUsage, anInterface } from '../testing/usage.ts';
import { GROUP_METRICS, METRIC_DESCRIPTIONS } from './catalogue.ts';
import { LIFE_METRICS } from './life.ts';
import type { Metric } from './metric.ts';
import { NETWORK_METRICS } from './network.ts';

/** What the conformance tests of the CRI expect, in their order. */
const EXPECTED = `container_blkio_device_usage_total container_cpu_cfs_periods_total
container_cpu_cfs_throttled_periods_total container_cpu_cfs_throttled_seconds_total
container_cpu_system_seconds_total container_cpu_usage_seconds_total container_cpu_user_seconds_total
container_file_descriptors container_fs_inodes_free container_fs_inodes_total container_fs_limit_bytes
container_fs_reads_bytes_total container_fs_reads_total container_fs_usage_bytes container_fs_writes_bytes_total
container_fs_writes_total container_hugetlb_max_usage_bytes container_hugetlb_usage_bytes container_last_seen
container_memory_cache container_memory_failcnt container_memory_failures_total container_memory_kernel_usage
container_memory_mapped_file container_memory_max_usage_bytes container_memory_rss container_memory_swap
container_memory_usage_bytes container_memory_working_set_bytes container_network_receive_bytes_total
container_network_receive_errors_total container_network_receive_packets_dropped_total
container_network_receive_packets_total container_network_transmit_bytes_total
container_network_transmit_errors_total container_network_transmit_packets_dropped_total
container_network_transmit_packets_total container_oom_events_total container_pressure_cpu_stalled_seconds_total
container_pressure_cpu_waiting_seconds_total container_pressure_io_stalled_seconds_total
container_pressure_io_waiting_seconds_total container_pressure_memory_stalled_seconds_total
container_pressure_memory_waiting_seconds_total container_processes container_sockets container_spec_cpu_period
container_spec_cpu_quota container_spec_cpu_shares container_spec_memory_limit_bytes
container_spec_memory_reservation_limit_bytes container_spec_memory_swap_limit_bytes
container_start_time_seconds container_threads container_threads_max container_ulimits_soft`.split(/\s+/);

const capacity = { sizeBytes: 1_000_000n, inodes: 2_000n, freeInodes: 1_500n };
const layer = { takenAtNs: 1n, usedBytes: 40_960n, inodes: 12n };
const network = { takenAtNs: 1n, defaultInterface: 'eth0', interfaces: [anInterface] };

/** `name{key="value"} 12`, as Prometheus writes it. */
function show<Subject>(metrics: readonly Metric<Subject>[], subject: Subject): string[] {
  return metrics.flatMap(({ name, labelKeys, read }) =>
    read(subject).map(({ labels, value }) => {
      const pairs = labelKeys.map((key, index) => `${key}="${labels[index]}"`);
      return `${name}{${pairs.join()}} ${value}`;
    }),
  );
}

test('the metrics are those that the conformance tests expect, each with a description', () => {
  const described = METRIC_DESCRIPTIONS.filter(({ help }) => help !== '').map(({ name }) => name);
  expect(described.sort()).toEqual(EXPECTED);
});

test('every metric of a container has samples, also where the kernel counts nothing', () => {
  const bare = {
    ...aUsage,
    cpu: { ...aUsage.cpu, pressure: undefined },
    swap: undefined,
    ioPressure: undefined,
  };

  const counts = GROUP_METRICS.map(({ read }) => read({ usage: bare, capacity, layer }).length);

  expect(Math.min(...counts)).toBeGreaterThan(0);
});

test('every sample has as many labels as its metric', () => {
  const device = { major: '254', minor: '0', device: '/dev/vda' };
  const used = { reads: 12n, writes: 1n, readBytes: 90_112n, writtenBytes: 4_096n };
  const detail = { ...aUsage.detail, devices: [{ ...device, ...used }] };
  const samples = GROUP_METRICS.flatMap(({ labelKeys, read }) =>
    read({ usage: { ...aUsage, detail }, capacity, layer }).map(({ labels }) => [
      labels.length,
      labelKeys.length,
    ]),
  );
  expect(samples.filter(([labels, keys]) => labels !== keys)).toEqual([]);
});

test('the samples of a container are what is known of it', () => {
  expect(show(GROUP_METRICS, { usage: aUsage, capacity, layer })).toMatchInlineSnapshot(`
    [
      "container_cpu_usage_seconds_total{cpu="total"} 2.345678901",
      "container_cpu_user_seconds_total{} 2",
      "container_cpu_system_seconds_total{} 0.34",
      "container_cpu_cfs_periods_total{} 120",
      "container_cpu_cfs_throttled_periods_total{} 30",
      "container_cpu_cfs_throttled_seconds_total{} 1.5",
      "container_memory_usage_bytes{} 130150400",
      "container_memory_working_set_bytes{} 116958004",
      "container_memory_rss{} 90133708",
      "container_memory_cache{} 40016281",
      "container_memory_mapped_file{} 10391142",
      "container_memory_kernel_usage{} 1236992",
      "container_memory_swap{} 8192",
      "container_memory_max_usage_bytes{} 140000000",
      "container_memory_failcnt{} 7",
      "container_memory_failures_total{failure_type="pgfault",scope="container"} 58712",
      "container_memory_failures_total{failure_type="pgmajfault",scope="container"} 3",
      "container_memory_failures_total{failure_type="pgfault",scope="hierarchy"} 25891608",
      "container_memory_failures_total{failure_type="pgmajfault",scope="hierarchy"} 4256",
      "container_oom_events_total{} 2",
      "container_hugetlb_usage_bytes{pagesize="2MB"} 0",
      "container_hugetlb_max_usage_bytes{pagesize="2MB"} 0",
      "container_fs_usage_bytes{} 40960",
      "container_fs_limit_bytes{} 1000000",
      "container_fs_inodes_total{} 2000",
      "container_fs_inodes_free{} 1500",
      "container_fs_reads_total{device=""} 0",
      "container_fs_reads_bytes_total{device=""} 0",
      "container_fs_writes_total{device=""} 0",
      "container_fs_writes_bytes_total{device=""} 0",
      "container_blkio_device_usage_total{device="",major="0",minor="0",operation="read"} 0",
      "container_blkio_device_usage_total{device="",major="0",minor="0",operation="write"} 0",
      "container_processes{} 3",
      "container_threads{} 9",
      "container_threads_max{} 100",
      "container_file_descriptors{} 12",
      "container_sockets{} 3",
      "container_ulimits_soft{ulimit="max_open_files"} 1024",
      "container_spec_cpu_period{} 100000",
      "container_spec_cpu_quota{} 20000",
      "container_spec_cpu_shares{} 512",
      "container_spec_memory_limit_bytes{} 268435456",
      "container_spec_memory_reservation_limit_bytes{} 0",
      "container_spec_memory_swap_limit_bytes{} 536870912",
      "container_pressure_cpu_waiting_seconds_total{} 0.001001",
      "container_pressure_cpu_stalled_seconds_total{} 0.001",
      "container_pressure_memory_waiting_seconds_total{} 0.002001",
      "container_pressure_memory_stalled_seconds_total{} 0.002",
      "container_pressure_io_waiting_seconds_total{} 0.003001",
      "container_pressure_io_stalled_seconds_total{} 0.003",
    ]
  `);
});

test('the samples of a network are those of its interfaces', () => {
  expect(show(NETWORK_METRICS, network)).toMatchInlineSnapshot(`
    [
      "container_network_receive_bytes_total{interface="eth0"} 1296",
      "container_network_receive_packets_total{interface="eth0"} 16",
      "container_network_receive_packets_dropped_total{interface="eth0"} 2",
      "container_network_receive_errors_total{interface="eth0"} 1",
      "container_network_transmit_bytes_total{interface="eth0"} 656",
      "container_network_transmit_packets_total{interface="eth0"} 8",
      "container_network_transmit_packets_dropped_total{interface="eth0"} 4",
      "container_network_transmit_errors_total{interface="eth0"} 3",
    ]
  `);
});

test('times are in seconds', () => {
  expect(show(LIFE_METRICS, { seenAtNs: 1_755_000_000_500_000_000n, startedAtNs: 1_000_000_000n })).toEqual([
    'container_last_seen{} 1755000000.5',
    'container_start_time_seconds{} 1',
  ]);
});
