import { expect, test } from 'vitest';
import { tempDir } from '../sys/testing/temp-dir.ts';
import { readGroupV1 } from './cgroup-v1.ts';
import { readGroupV2 } from './cgroup-v2.ts';
import { kernelFiles } from './kernel-files.ts';
import { V1_TREE, V2_TREE, writeTree } from './testing/kernel-tree.ts';

const options = { files: kernelFiles, detailed: true, pageSizes: ['2MB'] };
/** No kernel gives out pids above 4194304 = 2²², and few reach them: the processes of the fixtures are not there. */
const noFiles = { openFiles: 0, sockets: 0, maxOpenFiles: undefined };

test('a group of version 1 is read from its controllers, with the groups below it', () => {
  using dir = tempDir();
  writeTree(dir.path, V1_TREE);
  const controllers = ['cpu', 'cpuacct', 'memory', 'pids', 'blkio', 'hugetlb'];
  const roots = Object.fromEntries(controllers.map((name) => [name, dir.join(name)]));

  expect(readGroupV1(options, roots, '/pod/c1')).toEqual({
    cpu: { usageNs: 2_345_678_901n, userNs: 2_000_000_000n, systemNs: 340_000_000n },
    memory: {
      usageBytes: 130_150_400n,
      workingSetBytes: 116_958_004n,
      rssBytes: 90_133_708n,
      pageFaults: 25_891_608n,
      majorPageFaults: 4_256n,
      limitBytes: 268_435_456n,
    },
    swap: { usageBytes: 8_192n, limitBytes: 268_435_456n },
    processes: 3,
    detail: {
      throttling: { periods: 120n, throttledPeriods: 30n, throttledNs: 1_500_000_000n },
      memory: {
        cacheBytes: 40_016_281n,
        mappedFileBytes: 10_391_142n,
        kernelBytes: 1_236_992n,
        peakBytes: 140_000_000n,
        limitHits: 7n,
        oomKills: 2n,
        ownPageFaults: 58_712n,
        ownMajorPageFaults: 3n,
      },
      limits: {
        cpuPeriodUs: 100_000n,
        cpuQuotaUs: 20_000n,
        cpuShares: 512n,
        memoryReservationBytes: 0n,
        memorySwapBytes: 536_870_912n,
        threads: 0n,
      },
      processes: { threads: 9n, ...noFiles },
      devices: [
        {
          major: '254',
          minor: '0',
          device: expect.any(String) as string,
          reads: 12n,
          writes: 1n,
          readBytes: 90_112n,
          writtenBytes: 4_096n,
        },
      ],
      hugepages: [{ pageSize: '2MB', usageBytes: 4_194_304n, peakBytes: 6_291_456n }],
    },
  });
});

const line = (totalUs: bigint, avg10: number, avg60: number, avg300: number) => ({
  totalUs,
  avg10,
  avg60,
  avg300,
});
const pressure = (totalUs: bigint) => ({
  some: line(totalUs, 1.5, 0.75, 0.25),
  full: line(totalUs - 1n, 0.1, 0.05, 0.01),
});

test('a group of version 2 is read from its directory, with pressure and the groups below it', () => {
  using dir = tempDir();
  writeTree(dir.path, V2_TREE);

  expect(readGroupV2(options, dir.join('pod/c1'))).toEqual({
    cpu: {
      usageNs: 2_345_678_000n,
      userNs: 2_000_000_000n,
      systemNs: 345_678_000n,
      pressure: pressure(1_001n),
    },
    memory: {
      usageBytes: 130_150_400n,
      workingSetBytes: 116_958_004n,
      rssBytes: 90_133_708n,
      pageFaults: 25_891_608n,
      majorPageFaults: 4_256n,
      limitBytes: 268_435_456n,
      pressure: pressure(2_001n),
    },
    swap: { usageBytes: 8_192n, limitBytes: undefined },
    ioPressure: pressure(3_001n),
    processes: 3,
    detail: {
      throttling: { periods: 120n, throttledPeriods: 30n, throttledNs: 1_500_000_000n },
      memory: {
        cacheBytes: 40_016_281n,
        mappedFileBytes: 10_391_142n,
        kernelBytes: 1_236_992n,
        peakBytes: 140_000_000n,
        limitHits: 7n,
        oomKills: 2n,
        ownPageFaults: 25_891_608n,
        ownMajorPageFaults: 4_256n,
      },
      limits: {
        cpuPeriodUs: 100_000n,
        cpuQuotaUs: 20_000n,
        cpuShares: 500n,
        memoryReservationBytes: 0n,
        memorySwapBytes: 0n,
        threads: 100n,
      },
      processes: { threads: 9n, ...noFiles },
      devices: [
        {
          major: '254',
          minor: '0',
          device: expect.any(String) as string,
          reads: 12n,
          writes: 1n,
          readBytes: 90_112n,
          writtenBytes: 4_096n,
        },
      ],
      hugepages: [{ pageSize: '2MB', usageBytes: 4_194_304n, peakBytes: 4_194_304n }],
    },
  });
});

test('what a kernel does not count is absent', () => {
  using dir = tempDir();
  writeTree(dir.path, {
    'memory.current': '4096\n',
    'cpu.stat': 'usage_usec 5\nuser_usec 3\nsystem_usec 2\n',
  });

  expect(readGroupV2({ ...options, detailed: false }, dir.path)).toEqual({
    cpu: { usageNs: 5000n, userNs: 3000n, systemNs: 2000n },
    memory: { usageBytes: 4096n, workingSetBytes: 4096n, rssBytes: 0n, pageFaults: 0n, majorPageFaults: 0n },
    processes: 0,
  });
});

test('a group that is not there has no usage', () => {
  using dir = tempDir();
  expect(readGroupV2(options, dir.join('gone'))).toBeUndefined();
  expect(readGroupV1(options, { memory: dir.path, cpuacct: dir.path }, '/gone')).toBeUndefined();
});
