// What the interfaces of a network namespace have sent and received.

import { timeOfDayNs } from '../base/clock.ts';
import { isErrno } from '../sys/errno.ts';
import { inNetworkNamespace } from '../sys/namespace.ts';
import { kernelFiles } from './kernel-files.ts';
import type { InterfaceUsage, NetworkUsage } from './usage.ts';

export interface NetworksRead {
  /** By id; one that is gone has none. */
  readonly usages: ReadonlyMap<string, NetworkUsage>;
  /** Why others could not be read, by id. */
  readonly failures: ReadonlyMap<string, string>;
}

/** @param paths by id: where each namespace is pinned */
export function readNetworks(paths: ReadonlyMap<string, string>): NetworksRead {
  const usages = new Map<string, NetworkUsage>();
  const failures = new Map<string, string>();
  for (const [id, path] of paths) {
    try {
      const usage = readNetwork(path);
      if (usage !== undefined) usages.set(id, usage);
    } catch (error) {
      failures.set(id, error instanceof Error ? error.message : String(error));
    }
  }
  return { usages, failures };
}

/**
 * The thread is in that namespace meanwhile, for some 50 µs.
 *
 * @param path where the namespace is pinned
 * @returns `undefined` if there is none
 */
export function readNetwork(path: string): NetworkUsage | undefined {
  const takenAtNs = timeOfDayNs();
  const texts = readIn(path);
  if (texts === undefined) return undefined;
  const interfaces = parseNetDev(texts.devices).filter(({ name }) => name !== 'lo');
  const defaultInterface = findDefaultInterface(texts.routes) ?? interfaces[0]?.name ?? '';
  return { takenAtNs, defaultInterface, interfaces };
}

function readIn(path: string): { devices: string; routes: string } | undefined {
  try {
    return inNetworkNamespace(path, () => ({
      devices: kernelFiles.read('/proc/thread-self/net/dev') ?? '',
      routes: kernelFiles.read('/proc/thread-self/net/route') ?? '',
    }));
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EINVAL')) return undefined; // the pod has just been stopped
    throw error;
  }
}

/**
 * Parses /proc/net/dev: two lines of headings, then `  eth0: 1296 16 0 0 0 0 0 0 656 8 0 0 0 0 0 0`. Eight
 * columns of what was received come first: bytes, packets, errors, drops, and four others; then as many of what
 * was sent. Source: proc_pid_net(5).
 */
export function parseNetDev(text: string): InterfaceUsage[] {
  return text
    .split('\n')
    .slice(2)
    .filter((line) => line.includes(':'))
    .map(parseInterface);
}

function parseInterface(line: string): InterfaceUsage {
  const colon = line.lastIndexOf(':'); // a name may have one: eth0:1
  const columns = line
    .slice(colon + 1)
    .trim()
    .split(/\s+/);
  const column = (index: number) => BigInt(columns[index] ?? 0);
  return {
    name: line.slice(0, colon).trim(),
    receivedBytes: column(0),
    receivedPackets: column(1),
    receiveErrors: column(2),
    receiveDrops: column(3),
    sentBytes: column(8),
    sentPackets: column(9),
    sendErrors: column(10),
    sendDrops: column(11),
  };
}

/** Parses /proc/net/route: `eth0	00000000	0100580A	0003	0	0	0	00000000	0	0	0`, destination and mask in hex. */
export function findDefaultInterface(text: string): string | undefined {
  const routes = text.split('\n').map((line) => line.split('\t'));
  return routes.find(
    ([, destination, , , , , , mask]) => destination === '00000000' && mask === '00000000',
  )?.[0];
}
