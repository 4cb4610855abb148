// What pods need of the host, beside what the daemon refuses to start without.

import { access, constants, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RuntimeHandler } from '../../runtime/handlers.ts';
import type { Cgroups } from '../../sys/cgroup.ts';
import { fsUsage } from '../../sys/files.ts';
import type { Finding, Inspection } from './finding.ts';

export interface HostDeps {
  readonly root: string;
  readonly handlers: () => readonly RuntimeHandler[];
  /** The programs that every pod or container needs, by what they are. */
  readonly programs: Readonly<Record<string, string>>;
  readonly cgroups: Pick<Cgroups, 'hasController'>;
  readonly network: () => { readonly ready: boolean; readonly message: string };
  /** `/proc`, but in tests. */
  readonly proc?: string;
  readonly now?: () => Date;
}

export function inspectHost(deps: HostDeps): Inspection {
  return async () => {
    const looks = [programs, filesystems, controllers, sysctls, room, openFiles, clock, network];
    const found = await Promise.all(looks.map((look) => look(deps)));
    return found.flat();
  };
}

function finding(subject: string, problem: string, advice: string): Finding {
  return { kind: 'host', subject, problem, advice };
}

async function programs({ handlers, programs: others }: HostDeps): Promise<Finding[]> {
  const all = [
    ...Object.entries(others),
    ...handlers().map(({ name, path }): [string, string] => [`OCI runtime of handler "${name}"`, path]),
  ];
  const found = await Promise.all(
    all.map(async ([what, path]) => ((await isExecutable(path)) ? [] : [missingProgram(what, path)])),
  );
  return found.flat();
}

function missingProgram(what: string, path: string): Finding {
  return finding(
    path,
    `there is no such program: the ${what}`,
    'install it, or correct its path in [runtime]',
  );
}

async function isExecutable(path: string): Promise<boolean> {
  return await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** One word a line, after `nodev` for those without a device. Source: proc_filesystems(5). */
async function filesystems({ proc = '/proc' }: HostDeps): Promise<Finding[]> {
  const text = await readFile(join(proc, 'filesystems'), 'utf8');
  const known = text.split(/\s+/);
  if (known.includes('overlay')) return [];
  return [finding('overlayfs', 'the kernel does not know it', 'load its module: modprobe overlay')];
}

const CONTROLLERS = ['cpu', 'memory', 'pids', 'cpuset'];

async function controllers({ cgroups }: HostDeps): Promise<Finding[]> {
  const found = await Promise.all(
    CONTROLLERS.map(async (name) =>
      (await cgroups.hasController(name))
        ? []
        : [finding(`cgroup controller ${name}`, 'it is off', controllerAdvice(name))],
    ),
  );
  return found.flat();
}

function controllerAdvice(name: string): string {
  return name === 'memory'
    ? 'boot the kernel with cgroup_enable=memory'
    : 'see that the kernel has it, and that the cgroup of this host passes it on';
}

/** What must be 1, where the kernel has it at all, and why. */
const SYSCTLS: Readonly<Record<string, string>> = {
  'net.ipv4.ip_forward': 'pods reach nothing outside of this host',
  'net.bridge.bridge-nf-call-iptables': 'services do not work between pods of this host',
  'net.bridge.bridge-nf-call-ip6tables': 'services do not work between pods of this host over IPv6',
};

async function sysctls({ proc = '/proc' }: HostDeps): Promise<Finding[]> {
  const found = await Promise.all(
    Object.entries(SYSCTLS).map(async ([name, harm]) => {
      const value = await readFile(join(proc, 'sys', ...name.split('.')), 'utf8').catch(() => undefined);
      if (value === undefined || value.trim() === '1') return [];
      return [
        finding(
          `sysctl ${name}`,
          `it is ${value.trim()}: ${harm}`,
          `sysctl -w ${name}=1, and in /etc/sysctl.d`,
        ),
      ];
    }),
  );
  return found.flat();
}

/** Of a file system, in percent: below it the kubelet begins to evict pods. */
const MIN_FREE_PERCENT = 5;

async function room({ root }: HostDeps): Promise<Finding[]> {
  const { sizeBytes, availableBytes, inodes, inodesUsed } = await fsUsage(root);
  const advice = 'remove images that nothing uses (davitctl df, davitctl rmi), or make room';
  const found: Finding[] = [];
  const bytesFree = percent(availableBytes, sizeBytes);
  if (bytesFree < MIN_FREE_PERCENT) found.push(finding(root, `${bytesFree} % of its disk is free`, advice));
  const inodesFree = percent(inodes - inodesUsed, inodes);
  if (inodesFree < MIN_FREE_PERCENT)
    found.push(finding(root, `${inodesFree} % of its inodes are free`, advice));
  return found;
}

/** Some file systems have no number of inodes: then there are always enough. */
function percent(part: bigint, whole: bigint): number {
  return whole === 0n ? 100 : Number((part * 100n) / whole);
}

/** A pod takes some ten descriptors, a stream four. */
const MIN_OPEN_FILES = 4096;

/** Source: proc_pid_limits(5). */
async function openFiles({ proc = '/proc' }: HostDeps): Promise<Finding[]> {
  const text = await readFile(join(proc, 'self/limits'), 'utf8');
  const limit = /^Max open files\s+(\d+)/m.exec(text)?.[1];
  if (limit === undefined || Number(limit) >= MIN_OPEN_FILES) return [];
  return [finding('limit of open files', `it is ${limit}`, 'set LimitNOFILE=1048576 in the unit of davit')];
}

/** Davit did not exist before. */
const FIRST_YEAR = 2026;

async function clock({ now = () => new Date() }: HostDeps): Promise<Finding[]> {
  const year = now().getUTCFullYear();
  if (year >= FIRST_YEAR) return [];
  return [
    finding(
      'clock',
      `it says ${year}: certificates are refused and times are wrong`,
      'set it, and run a time service',
    ),
  ];
}

async function network({ network: status }: HostDeps): Promise<Finding[]> {
  const { ready, message } = status();
  return ready
    ? []
    : [finding('network of pods', message, 'install a network plugin, or mend its configuration')];
}
