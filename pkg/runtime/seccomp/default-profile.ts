// The filter of containers that ask for the runtime's own: what is not allowed by name fails with EPERM.

import { constants } from 'node:os';
import { ALLOWED_SYSCALLS } from './allowed-syscalls.ts';
import { getArchitecture } from './architecture.ts';
import { CAPABILITY_SYSCALLS } from './capability-syscalls.ts';
import type { SeccompArgument, SeccompProfile, SeccompRule } from './profile.ts';

/**
 * @param capabilities the container's bounding set: it may make the calls that these are for
 * @param architecture as `process.arch` has it
 * @throws {Fault} unimplemented — a processor that nobody has tried
 */
export function defaultProfile(
  capabilities: readonly string[],
  architecture: string = process.arch,
): SeccompProfile {
  const { oci, ownSyscalls } = getArchitecture(architecture);
  const privileges = capabilities.flatMap((name) => CAPABILITY_SYSCALLS.get(name) ?? []);
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: constants.errno.EPERM,
    architectures: oci,
    syscalls: [
      allow([...new Set([...ALLOWED_SYSCALLS, ...ownSyscalls, ...privileges])]),
      ...SOCKET_RULES,
      ...PERSONALITY_RULES,
      ...(capabilities.includes('CAP_SYS_ADMIN') ? [] : CLONE_RULES),
    ],
  };
}

function allow(names: readonly string[], args: readonly SeccompArgument[] = []): SeccompRule {
  return { names, action: 'SCMP_ACT_ALLOW', ...(args.length === 0 ? {} : { args }) };
}

/**
 * An argument of 32 bits must be compared as such: the kernel passes over the upper half of its register, so
 * that comparing all 64 bits would let `2^32 + AF_ALG` through.
 *
 * @param mask the bits that matter
 */
function lowBits(index: number, mask: number, bits: number): SeccompArgument {
  return { index, value: mask, valueTwo: bits, op: 'SCMP_CMP_MASKED_EQ' };
}

const ALL_BITS = 0xffff_ffff;

/**
 * Every address family but AF_ALG (38), the kernel's ciphers, and AF_VSOCK (40), the way to the hypervisor:
 * neither belongs to a namespace. The families are 0 to 63, cut into ranges that a mask can tell. Conditions
 * that exclude values cannot be used, because runtimes join several on one argument with "or".
 *
 * 32-bit programs of x86 may make sockets through `socketcall`, whose arguments no filter can see.
 */
const SOCKET_RULES: readonly SeccompRule[] = [
  { first: 0, size: 32 },
  { first: 32, size: 4 },
  { first: 36, size: 2 },
  { first: 39, size: 1 },
  { first: 41, size: 1 },
  { first: 42, size: 2 },
  { first: 44, size: 4 },
  { first: 48, size: 16 },
].map(({ first, size }) => allow(['socket'], [lowBits(0, ALL_BITS - (size - 1), first)]));

/** PER_LINUX, PER_LINUX32, both with UNAME26, and "which is it?". Source: personality(2). */
const PERSONALITY_RULES: readonly SeccompRule[] = [0x0, 0x8, 0x20000, 0x20008, ALL_BITS].map((persona) =>
  allow(['personality'], [lowBits(0, ALL_BITS, persona)]),
);

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET. Source: clone(2). */
const NEW_NAMESPACES =
  0x0002_0000 + 0x0200_0000 + 0x0400_0000 + 0x0800_0000 + 0x1000_0000 + 0x2000_0000 + 0x4000_0000;

/**
 * Threads and processes, but no namespaces. What `clone3` is asked stands in memory, where no filter can look;
 * glibc falls back to `clone` if there is no such call.
 */
const CLONE_RULES: readonly SeccompRule[] = [
  allow(['clone'], [lowBits(0, NEW_NAMESPACES, 0)]),
  { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: constants.errno.ENOSYS },
];
