// What a group, a layer and a network use, as the CRI shows it. What is not known is absent.

import type {
  CpuUsageInit,
  FilesystemUsageInit,
  IoUsageInit,
  LinuxPodSandboxStatsInit,
  MemoryUsageInit,
  NetworkInterfaceUsageInit,
  NetworkUsageInit,
  PsiStatsInit,
  SwapUsageInit,
  UInt64ValueInit,
} from '../../../api/cri/generated/types.ts';
import type { GroupUsage, InterfaceUsage, NetworkUsage, Pressure, TreeUsage } from '../../stats/usage.ts';

function toValue(value: bigint | undefined): UInt64ValueInit | undefined {
  return value === undefined ? undefined : { value };
}

export function toCpu({ takenAtNs, cpu }: GroupUsage): CpuUsageInit {
  return {
    timestamp: takenAtNs,
    usageCoreNanoSeconds: { value: cpu.usageNs },
    usageNanoCores: toValue(cpu.nanoCores),
    psi: toPsi(cpu.pressure),
  };
}

export function toMemory({ takenAtNs, memory }: GroupUsage): MemoryUsageInit {
  return {
    timestamp: takenAtNs,
    workingSetBytes: { value: memory.workingSetBytes },
    availableBytes: toValue(lessThan(memory.limitBytes, memory.workingSetBytes)),
    usageBytes: { value: memory.usageBytes },
    rssBytes: { value: memory.rssBytes },
    pageFaults: { value: memory.pageFaults },
    majorPageFaults: { value: memory.majorPageFaults },
    psi: toPsi(memory.pressure),
  };
}

export function toSwap({ takenAtNs, swap }: GroupUsage): SwapUsageInit | undefined {
  return (
    swap && {
      timestamp: takenAtNs,
      swapUsageBytes: { value: swap.usageBytes },
      swapAvailableBytes: toValue(lessThan(swap.limitBytes, swap.usageBytes)),
    }
  );
}

/** What is left of a limit. */
function lessThan(limit: bigint | undefined, used: bigint): bigint | undefined {
  if (limit === undefined) return undefined;
  return limit > used ? limit - used : 0n;
}

export function toIo({ takenAtNs, ioPressure }: GroupUsage): IoUsageInit | undefined {
  return ioPressure && { timestamp: takenAtNs, psi: toPsi(ioPressure) };
}

function toPsi(pressure: Pressure | undefined): PsiStatsInit | undefined {
  if (pressure === undefined) return undefined;
  const toData = ({ totalUs, ...averages }: Pressure['some']) => ({ total: totalUs, ...averages });
  return { some: toData(pressure.some), full: toData(pressure.full) };
}

export function toLayer(mountpoint: string, usage: TreeUsage | undefined): FilesystemUsageInit | undefined {
  return (
    usage && {
      timestamp: usage.takenAtNs,
      fsId: { mountpoint },
      usedBytes: { value: usage.usedBytes },
      inodesUsed: { value: usage.inodes },
    }
  );
}

export function toNetwork({ takenAtNs, defaultInterface, interfaces }: NetworkUsage): NetworkUsageInit {
  const isDefault = ({ name }: InterfaceUsage) => name === defaultInterface;
  const [chosen] = interfaces.filter(isDefault).map(toInterface);
  return {
    timestamp: takenAtNs,
    defaultInterface: chosen,
    interfaces: interfaces.filter((each) => !isDefault(each)).map(toInterface),
  };
}

function toInterface(usage: InterfaceUsage): NetworkInterfaceUsageInit {
  return {
    name: usage.name,
    rxBytes: { value: usage.receivedBytes },
    rxErrors: { value: usage.receiveErrors },
    txBytes: { value: usage.sentBytes },
    txErrors: { value: usage.sendErrors },
  };
}

export function toProcesses({ takenAtNs, processes }: GroupUsage): LinuxPodSandboxStatsInit['process'] {
  return { timestamp: takenAtNs, processCount: { value: BigInt(processes) } };
}
