// The profile of containers that ask for the runtime's default. It forbids what no program in a container should
// do even where capabilities and mounts would let it. What it allows and denies is what users of Docker, containerd
// and CRI-O know.

/** In the kernel, and in /proc/<pid>/attr/current of a container. */
export const DEFAULT_PROFILE_NAME = 'davit-default';

export interface ProfileParts {
  /** The profile that the daemon runs under itself: it must be able to end containers. */
  readonly daemonProfile: string;
  /** Whether /etc/apparmor.d has these files; without them the parser would refuse the profile. */
  readonly has: { readonly abi: boolean; readonly tunables: boolean; readonly base: boolean };
}

/** The profile in the language of apparmor.d(5). */
export function defaultProfileText({ daemonProfile, has }: ProfileParts): string {
  return `${has.abi ? 'abi <abi/3.0>,\n' : ''}${has.tunables ? 'include <tunables/global>' : '@{PROC}=/proc/'}

profile ${DEFAULT_PROFILE_NAME} flags=(attach_disconnected,mediate_deleted) {
${has.base ? '  include <abstractions/base>\n' : ''}
  # Capabilities, seccomp and file permissions say what of this a container really has.
  network,
  capability,
  file,
  umount,

  # The node, the OCI runtimes and the daemon may signal a container; its processes one another.
  signal (receive) peer=unconfined,
  signal (receive) peer=runc,
  signal (receive) peer=crun,
  signal (receive) peer="${daemonProfile}",
  signal (send,receive) peer=${DEFAULT_PROFILE_NAME},
  ptrace (trace,tracedby,read,readby) peer=${DEFAULT_PROFILE_NAME},

  deny mount,

  # Of /proc only the directories of processes may be written, and kernel.shm* of its sysctls.
  deny @{PROC}/* w,
  deny @{PROC}/{[^1-9/],[^1-9/][^0-9/],[^1-9s/][^0-9y/][^0-9s/],[^1-9/][^0-9/][^0-9/][^0-9/]*}/** w,
  deny @{PROC}/sys/[^k]** w,
  deny @{PROC}/sys/kernel/{?,??,[^s][^h][^m]**} w,
  deny @{PROC}/sysrq-trigger rwklx,
  deny @{PROC}/kcore rwklx,

  # Of /sys only the cgroups.
  deny /sys/[^f]*/** wklx,
  deny /sys/f[^s]*/** wklx,
  deny /sys/fs/[^c]*/** wklx,
  deny /sys/fs/c[^g]*/** wklx,
  deny /sys/fs/cg[^r]*/** wklx,
  deny /sys/firmware/** rwklx,
  deny /sys/devices/virtual/powercap/** rwklx,
  deny /sys/kernel/security/** rwklx,
}
`;
}
