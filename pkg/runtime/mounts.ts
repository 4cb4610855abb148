// What is mounted in a container: a file system that programs expect, and what the pod asks for on top of it.

import { posix } from 'node:path';
import type { OciMount } from './oci-spec.ts';

/** Something of the host, at a place in the container. */
export interface MountInput {
  readonly source: string;
  readonly destination: string;
  readonly readonly?: boolean | undefined;
  /** Also what is mounted below it. */
  readonly recursiveReadonly?: boolean | undefined;
  /** Whether mounts made later show on the other side: never, from the host only, or both ways. */
  readonly propagation?: 'private' | 'host_to_container' | 'bidirectional' | undefined;
  /** More options of mount(8), such as `noexec`. */
  readonly options?: readonly string[] | undefined;
}

export interface MountsInput {
  readonly mounts: readonly MountInput[];
  /** Directory of the host that is /dev/shm; a tmpfs of its own when absent. */
  readonly sharedMemory?: string | undefined;
  /** Whether /sys and cgroups may be written. */
  readonly privileged: boolean;
  /** Whether cgroups may be written though it is not. */
  readonly cgroupWritable?: boolean | undefined;
  /** /sys is that of the node, read-only: the container cannot mount one. */
  readonly hostSysfs?: boolean | undefined;
}

/** A mount of the pod replaces ours at the same place, and one at /dev all of ours below it. */
export function toOciMounts(input: MountsInput): OciMount[] {
  const asked = input.mounts.map(toBindMount);
  const places = new Set(asked.map(({ destination }) => destination));
  const ours = defaultMounts(input).filter(
    ({ destination }) => !places.has(destination) && !(places.has('/dev') && destination.startsWith('/dev/')),
  );
  return [...ours, ...asked].sort((a, b) => depth(a) - depth(b)); // a mount would hide those below it
}

/**
 * How mounts of the container's root propagate: the weakest that lets every mount do what it is asked to.
 *
 * @returns `undefined` for the runtime's default, private
 */
export function toRootfsPropagation(mounts: readonly MountInput[]): string | undefined {
  const asked = new Set(mounts.map(({ propagation }) => propagation));
  if (asked.has('bidirectional')) return 'rshared';
  return asked.has('host_to_container') ? 'rslave' : undefined;
}

const PROPAGATION = {
  private: 'rprivate',
  host_to_container: 'rslave',
  bidirectional: 'rshared',
} as const;

function toBindMount(mount: MountInput): OciMount {
  const { source, destination, propagation = 'private', options = [] } = mount;
  const access = mount.recursiveReadonly === true ? ['ro', 'rro'] : [mount.readonly === true ? 'ro' : 'rw'];
  return {
    destination: withoutTrailingSlash(posix.normalize(`/${destination}`)),
    type: 'bind',
    source,
    options: ['rbind', PROPAGATION[propagation], ...access, ...options],
  };
}

/** Source: config-linux.md, "Default Filesystems"; the options are those of the other container managers. */
function defaultMounts(input: MountsInput): OciMount[] {
  const { sharedMemory, privileged, cgroupWritable = false, hostSysfs = false } = input;
  const access = privileged ? 'rw' : 'ro';
  const safe = ['nosuid', 'noexec', 'nodev'];
  return [
    { destination: '/proc', type: 'proc', source: 'proc', options: safe },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
    },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
    },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: safe },
    sharedMemory === undefined
      ? {
          destination: '/dev/shm',
          type: 'tmpfs',
          source: 'shm',
          options: [...safe, 'mode=1777', 'size=65536k'],
        }
      : { destination: '/dev/shm', type: 'bind', source: sharedMemory, options: ['rbind', ...safe, 'rw'] },
    hostSysfs
      ? { destination: '/sys', type: 'bind', source: '/sys', options: ['rbind', ...safe, 'ro'] }
      : { destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...safe, access] },
    {
      destination: '/sys/fs/cgroup',
      type: 'cgroup',
      source: 'cgroup',
      options: [...safe, 'relatime', cgroupWritable ? 'rw' : access],
    },
  ];
}

function withoutTrailingSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

function depth({ destination }: OciMount): number {
  return destination.split('/').filter(Boolean).length;
}
