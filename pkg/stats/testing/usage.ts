// A usage with every field set, each to another number.

import type { GroupDetail, GroupUsage, InterfaceUsage } from '../usage.ts';

const line = (totalUs: bigint) => ({ totalUs, avg10: 1.5, avg60: 0.75, avg300: 0.25 });
const pressure = (totalUs: bigint) => ({ some: line(totalUs), full: line(totalUs - 1n) });

export const aDetail: GroupDetail = {
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
    threads: 100n,
  },
  processes: { threads: 9n, openFiles: 12, sockets: 3, maxOpenFiles: 1024 },
  devices: [],
  hugepages: [{ pageSize: '2MB', usageBytes: 0n, peakBytes: 0n }],
};

export const aUsage: GroupUsage & { readonly detail: GroupDetail } = {
  takenAtNs: 1_755_000_000_123_456_789n,
  cpu: {
    usageNs: 2_345_678_901n,
    userNs: 2_000_000_000n,
    systemNs: 340_000_000n,
    nanoCores: 250_000_000n,
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
  swap: { usageBytes: 8_192n, limitBytes: 268_435_456n },
  ioPressure: pressure(3_001n),
  processes: 3,
  detail: aDetail,
};

export const anInterface: InterfaceUsage = {
  name: 'eth0',
  receivedBytes: 1_296n,
  receivedPackets: 16n,
  receiveErrors: 1n,
  receiveDrops: 2n,
  sentBytes: 656n,
  sentPackets: 8n,
  sendErrors: 3n,
  sendDrops: 4n,
};
