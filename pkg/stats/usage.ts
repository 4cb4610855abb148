// What is known of one control group, one network, one tree of files, in the same words for both versions of the
// kernel's interface. What a kernel does not count is absent; it is never made up.

/** How long tasks had to wait for something; cgroup v2 alone knows. Source: Documentation/accounting/psi.rst. */
export interface Pressure {
  readonly some: PressureLine;
  /** All tasks at the same time. */
  readonly full: PressureLine;
}

export interface PressureLine {
  /** Microseconds since the group was made. */
  readonly totalUs: bigint;
  /** Percent of the last 10, 60 and 300 seconds. */
  readonly avg10: number;
  readonly avg60: number;
  readonly avg300: number;
}

export interface CpuUsage {
  readonly usageNs: bigint;
  readonly userNs: bigint;
  readonly systemNs: bigint;
  /** The rate of late: 1000000000 is one core. Absent until there are two samples to tell it from. */
  readonly nanoCores?: bigint | undefined;
  readonly pressure?: Pressure | undefined;
}

export interface MemoryUsage {
  readonly usageBytes: bigint;
  /** Without file pages that nobody has used for long: what cannot be taken back. */
  readonly workingSetBytes: bigint;
  /** Anonymous memory. */
  readonly rssBytes: bigint;
  readonly pageFaults: bigint;
  readonly majorPageFaults: bigint;
  /** Absent when there is none. */
  readonly limitBytes?: bigint | undefined;
  readonly pressure?: Pressure | undefined;
}

export interface SwapUsage {
  readonly usageBytes: bigint;
  /** Absent when there is none. */
  readonly limitBytes?: bigint | undefined;
}

/** What a group and all groups below it use. */
export interface GroupUsage {
  /** Nanoseconds since the Unix epoch. */
  readonly takenAtNs: bigint;
  readonly cpu: CpuUsage;
  readonly memory: MemoryUsage;
  /** Absent when the kernel does not count it. */
  readonly swap?: SwapUsage | undefined;
  readonly ioPressure?: Pressure | undefined;
  readonly processes: number;
  /** Only when it was asked for. */
  readonly detail?: GroupDetail | undefined;
}

/** What costs more to find out, and only the metrics ask for. 0 where this kernel does not count. */
export interface GroupDetail {
  readonly throttling: {
    readonly periods: bigint;
    readonly throttledPeriods: bigint;
    readonly throttledNs: bigint;
  };
  readonly memory: MemoryDetail;
  readonly limits: GroupLimits;
  readonly processes: ProcessDetail;
  readonly devices: readonly DeviceUsage[];
  readonly hugepages: readonly HugepageUsage[];
}

export interface MemoryDetail {
  readonly cacheBytes: bigint;
  readonly mappedFileBytes: bigint;
  readonly kernelBytes: bigint;
  readonly peakBytes: bigint;
  /** How often the limit was met. */
  readonly limitHits: bigint;
  readonly oomKills: bigint;
  /** Of the group alone, without those below; v2 has only the sum. */
  readonly ownPageFaults: bigint;
  readonly ownMajorPageFaults: bigint;
}

/** 0 stands for no limit. */
export interface GroupLimits {
  readonly cpuPeriodUs: bigint;
  readonly cpuQuotaUs: bigint;
  readonly cpuShares: bigint;
  readonly memoryReservationBytes: bigint;
  /** v1: memory and swap together. */
  readonly memorySwapBytes: bigint;
  readonly threads: bigint;
}

export interface ProcessDetail {
  readonly threads: bigint;
  readonly openFiles: number;
  readonly sockets: number;
  /** RLIMIT_NOFILE of the first process; absent when it is unlimited or there is no process. */
  readonly maxOpenFiles?: number | undefined;
}

export interface DeviceUsage {
  readonly major: string;
  readonly minor: string;
  /** `/dev/sda`, or `8:0` if it has no name. */
  readonly device: string;
  readonly reads: bigint;
  readonly writes: bigint;
  readonly readBytes: bigint;
  readonly writtenBytes: bigint;
}

export interface HugepageUsage {
  /** As in the names of the files: `2MB`. */
  readonly pageSize: string;
  readonly usageBytes: bigint;
  readonly peakBytes: bigint;
}

export interface InterfaceUsage {
  readonly name: string;
  readonly receivedBytes: bigint;
  readonly receivedPackets: bigint;
  readonly receiveErrors: bigint;
  readonly receiveDrops: bigint;
  readonly sentBytes: bigint;
  readonly sentPackets: bigint;
  readonly sendErrors: bigint;
  readonly sendDrops: bigint;
}

/** A network namespace. */
export interface NetworkUsage {
  readonly takenAtNs: bigint;
  /** The one with the default route, else the first. */
  readonly defaultInterface: string;
  /** Without the loopback interface. */
  readonly interfaces: readonly InterfaceUsage[];
}

/** A directory with all that is in it. */
export interface TreeUsage {
  readonly takenAtNs: bigint;
  /** What it takes on the disk, not what its files say they hold. */
  readonly usedBytes: bigint;
  readonly inodes: bigint;
}

/** The file system that the layers are on. */
export interface DiskCapacity {
  readonly sizeBytes: bigint;
  readonly inodes: bigint;
  readonly freeInodes: bigint;
}
