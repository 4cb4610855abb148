// Which capabilities this process has: not every node gives root all of them.

import { readFile } from 'node:fs/promises';
import { Fault } from '../base/fault.ts';

/** In the order of their numbers. Source: linux/capability.h. */
export const CAPABILITIES = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_DAC_READ_SEARCH',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETPCAP',
  'CAP_LINUX_IMMUTABLE',
  'CAP_NET_BIND_SERVICE',
  'CAP_NET_BROADCAST',
  'CAP_NET_ADMIN',
  'CAP_NET_RAW',
  'CAP_IPC_LOCK',
  'CAP_IPC_OWNER',
  'CAP_SYS_MODULE',
  'CAP_SYS_RAWIO',
  'CAP_SYS_CHROOT',
  'CAP_SYS_PTRACE',
  'CAP_SYS_PACCT',
  'CAP_SYS_ADMIN',
  'CAP_SYS_BOOT',
  'CAP_SYS_NICE',
  'CAP_SYS_RESOURCE',
  'CAP_SYS_TIME',
  'CAP_SYS_TTY_CONFIG',
  'CAP_MKNOD',
  'CAP_LEASE',
  'CAP_AUDIT_WRITE',
  'CAP_AUDIT_CONTROL',
  'CAP_SETFCAP',
  'CAP_MAC_OVERRIDE',
  'CAP_MAC_ADMIN',
  'CAP_SYSLOG',
  'CAP_WAKE_ALARM',
  'CAP_BLOCK_SUSPEND',
  'CAP_AUDIT_READ',
  'CAP_PERFMON',
  'CAP_BPF',
  'CAP_CHECKPOINT_RESTORE',
] as const;

/** The capabilities of this process that count now. */
export async function effectiveCapabilities(): Promise<ReadonlySet<string>> {
  return parseEffectiveCapabilities(await readFile('/proc/self/status', 'utf8'));
}

/**
 * Parses the line `CapEff:` of `/proc/<pid>/status`: a mask in hexadecimal digits. Source: proc_pid_status(5).
 *
 * @throws {Fault} data_loss — there is no such line
 */
export function parseEffectiveCapabilities(status: string): ReadonlySet<string> {
  const digits = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  if (digits === undefined) throw new Fault('data_loss', 'cannot find CapEff in /proc/self/status');
  const mask = BigInt(`0x${digits}`);
  return new Set(CAPABILITIES.filter((_, number) => ((mask >> BigInt(number)) & 1n) === 1n));
}
