// The calls that a container may make because it has been given a capability for them. The kernel checks the
// capability, too; the filter keeps its code away from those that lack it.

export const CAPABILITY_SYSCALLS: ReadonlyMap<string, readonly string[]> = new Map([
  ['CAP_BPF', ['bpf']],
  ['CAP_DAC_READ_SEARCH', ['open_by_handle_at']],
  ['CAP_PERFMON', ['perf_event_open']],
  [
    'CAP_SYS_ADMIN',
    [
      ...[
        'mount',
        'umount',
        'umount2',
        'fsconfig',
        'fsmount',
        'fsopen',
        'fspick',
        'mount_setattr',
        'move_mount',
      ],
      ...['open_tree', 'open_tree_attr', 'quotactl', 'quotactl_fd', 'fanotify_init', 'lookup_dcookie'],
      ...['clone', 'clone3', 'setns', 'unshare', 'sethostname', 'setdomainname'],
      ...['bpf', 'perf_event_open', 'syslog'],
    ],
  ],
  ['CAP_SYS_BOOT', ['reboot']],
  ['CAP_SYS_CHROOT', ['chroot']],
  ['CAP_SYS_MODULE', ['delete_module', 'finit_module', 'init_module']],
  ['CAP_SYS_NICE', ['get_mempolicy', 'mbind', 'set_mempolicy', 'set_mempolicy_home_node']],
  ['CAP_SYS_PACCT', ['acct']],
  ['CAP_SYS_PTRACE', ['kcmp', 'pidfd_getfd', 'process_madvise']],
  ['CAP_SYS_RAWIO', ['ioperm', 'iopl']],
  ['CAP_SYS_TIME', ['clock_settime', 'clock_settime64', 'settimeofday', 'stime']],
  ['CAP_SYS_TTY_CONFIG', ['vhangup']],
  ['CAP_SYSLOG', ['syslog']],
]);
