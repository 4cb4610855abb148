import { expect, test } from 'vitest';
import { CAPABILITIES } from '../../sys/capability.ts';
import { ALLOWED_SYSCALLS } from './allowed-syscalls.ts';
import { CAPABILITY_SYSCALLS } from './capability-syscalls.ts';
import { defaultProfile } from './default-profile.ts';
import { profileFile } from './profile-file.ts';

/** The names that some rule allows, each as often as it stands there. */
function allowed(capabilities: readonly string[], architecture = 'x64'): string[] {
  return defaultProfile(capabilities, architecture)
    .syscalls.filter(({ action }) => action === 'SCMP_ACT_ALLOW')
    .flatMap(({ names }) => names);
}

/** What a container may call because of these capabilities. */
function gained(capabilities: readonly string[]): string[] {
  const before = new Set(allowed([]));
  return allowed(capabilities)
    .filter((name) => !before.has(name))
    .sort();
}

test('each allowed call stands there once, and looks like one', () => {
  expect(ALLOWED_SYSCALLS).toEqual([...new Set(ALLOWED_SYSCALLS)]);
  expect(ALLOWED_SYSCALLS.filter((name) => !/^_?[a-z][a-z0-9_]*$/.test(name))).toEqual([]);
});

test.each(['x64', 'arm64'])('on %s a call is allowed once: always, or for some arguments', (architecture) => {
  const [plain, ...conditional] = defaultProfile(CAPABILITIES, architecture).syscalls;
  const names = plain!.names;
  expect(names).toEqual([...new Set(names)]);
  expect(conditional.flatMap((rule) => rule.names).filter((name) => names.includes(name))).toEqual([]);
});

test('no container has what passes by the filter, or belongs to the node', () => {
  const never = [
    ...['io_uring_setup', 'io_uring_enter', 'io_uring_register'],
    ...['keyctl', 'add_key', 'request_key', 'userfaultfd', 'kexec_load', 'kexec_file_load'],
    ...['swapon', 'swapoff', 'pivot_root', 'move_pages', 'migrate_pages', 'nfsservctl', 'ustat', 'uselib'],
  ];
  const names = allowed(CAPABILITIES);
  expect(never.filter((name) => names.includes(name))).toEqual([]);
});

test('capabilities that have calls of their own exist', () => {
  const known: readonly string[] = CAPABILITIES;
  expect([...CAPABILITY_SYSCALLS.keys()].filter((name) => !known.includes(name))).toEqual([]);
});

test.for([
  ['CAP_BPF', ['bpf']],
  ['CAP_CHOWN', []],
  ['CAP_DAC_READ_SEARCH', ['open_by_handle_at']],
  ['CAP_NET_ADMIN', []],
  ['CAP_PERFMON', ['perf_event_open']],
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
] as const)('%s adds %j', ([capability, names]) => {
  expect(gained([capability])).toEqual(names);
});

test('CAP_SYS_ADMIN adds mounts and namespaces, and any use of clone', () => {
  expect(gained(['CAP_SYS_ADMIN'])).toEqual(
    [
      ...[
        'bpf',
        'clone3',
        'fanotify_init',
        'fsconfig',
        'fsmount',
        'fsopen',
        'fspick',
        'lookup_dcookie',
        'mount',
      ],
      ...['mount_setattr', 'move_mount', 'open_tree', 'open_tree_attr', 'perf_event_open', 'quotactl'],
      ...['quotactl_fd', 'setdomainname', 'sethostname', 'setns', 'syslog', 'umount', 'umount2', 'unshare'],
    ].sort(),
  );
  const rules = defaultProfile(['CAP_SYS_ADMIN'], 'x64').syscalls.slice(1);
  expect(rules.filter(({ names }) => names.some((name) => name.startsWith('clone')))).toEqual([]);
});

test('without it clone makes no namespaces, and clone3 is missing', () => {
  const rules = defaultProfile([], 'x64').syscalls.filter(({ names }) => /^clone3?$/.test(names.join()));
  expect(rules).toEqual([
    {
      names: ['clone'],
      action: 'SCMP_ACT_ALLOW',
      args: [{ index: 0, value: 0x7e020000, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }],
    },
    { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 },
  ]);
});

test('every address family has a rule, but for AF_ALG and AF_VSOCK', () => {
  const rules = defaultProfile([], 'x64').syscalls.filter(({ names }) => names.includes('socket'));
  const matches = (family: number) =>
    rules.filter(({ args }) => (BigInt(family) & BigInt(args![0]!.value)) === BigInt(args![0]!.valueTwo!));
  const families = Array.from({ length: 64 }, (_, family) => family);
  expect(families.filter((family) => matches(family).length !== 1)).toEqual([38, 40]);
});

test.each([
  ['x64', ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'], 'arch_prctl'],
  ['arm64', ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'], 'sync_file_range2'],
])('on %s the filter holds for %j, and allows %s', (architecture, architectures, own) => {
  const profile = defaultProfile([], architecture);
  expect(profile).toMatchObject({ defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 1, architectures });
  expect(profile.syscalls[0]!.names).toContain(own);
});

test('a processor that nobody has tried has no filter rather than a wrong one', () => {
  expect(() => defaultProfile([], 's390x')).toThrow('"s390x"');
});

test('the default has the form that profiles of a node must have', () => {
  expect(profileFile.safeParse(defaultProfile([])).error).toBeUndefined();
});
