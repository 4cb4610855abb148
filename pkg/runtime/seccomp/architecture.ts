// What differs between processors: names, and the calls that only one of them has.

import { Fault } from '../../base/fault.ts';

export interface Architecture {
  /** As Docker's form of profiles names it. */
  readonly native: string;
  /** As OCI names it; then the older ones whose programs the kernel runs as well. */
  readonly oci: readonly [string, ...string[]];
  /** Calls that are harmless and only exist here. */
  readonly ownSyscalls: readonly string[];
}

const ARCHITECTURES: ReadonlyMap<string, Architecture> = new Map([
  [
    'x64',
    {
      native: 'amd64',
      oci: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
      ownSyscalls: ['arch_prctl', 'map_shadow_stack', 'modify_ldt', 'uprobe', 'uretprobe'],
    },
  ],
  [
    'arm64',
    {
      native: 'arm64',
      oci: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
      ownSyscalls: [
        'arm_fadvise64_64',
        'arm_sync_file_range',
        'breakpoint',
        'cacheflush',
        'map_shadow_stack',
        'set_tls',
        'sync_file_range2',
      ],
    },
  ],
]);

/**
 * @param name as `process.arch` has it
 * @throws {Fault} unimplemented — a processor that nobody has tried
 */
export function getArchitecture(name: string): Architecture {
  const architecture = ARCHITECTURES.get(name);
  if (architecture !== undefined) return architecture;
  throw new Fault('unimplemented', `there are no seccomp profiles for processors of type "${name}"`);
}
