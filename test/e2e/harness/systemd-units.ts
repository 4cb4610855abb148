// What systemd knows of a node of the tests, when it makes the cgroups: slices of pods, scopes of containers.

import { execFileSync } from 'node:child_process';
import { basename } from 'node:path';
import { CGROUP_DRIVER } from './cgroup-driver.ts';
import type { Place } from './place.ts';

function systemctl(...args: readonly string[]): string {
  return execFileSync('systemctl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Slices and scopes below the slice of the node; its own slice not. None without systemd. */
export function listUnits({ cgroupParent }: Place): string[] {
  if (CGROUP_DRIVER !== 'systemd') return [];
  const top = basename(cgroupParent);
  const below = `${top.replace(/\.slice$/, '')}-`;
  const shown = systemctl('show', '--all', '--property=Id,Slice', '*.slice', '*.scope');
  return shown.split('\n\n').flatMap((text) => {
    const [id = '', slice = ''] = ['Id', 'Slice'].map(
      (key) => new RegExp(`^${key}=(.*)$`, 'm').exec(text)?.[1],
    );
    return slice === top || slice.startsWith(below) ? [id] : [];
  });
}

/** Makes a slice with a limit, as the kubelet makes that of a pod. */
export function startSlice(path: string, memoryLimitBytes: bigint): void {
  const manager = [
    'org.freedesktop.systemd1',
    '/org/freedesktop/systemd1',
    'org.freedesktop.systemd1.Manager',
  ];
  const properties = ['1', 'MemoryMax', 't', String(memoryLimitBytes)];
  const method = ['StartTransientUnit', 'ssa(sv)a(sa(sv))'];
  execFileSync('busctl', ['call', ...manager, ...method, basename(path), 'fail', ...properties, '0'], {
    stdio: 'pipe',
  });
}

/** With all that is in them. That one is not there is fine. */
export function stopUnits(units: readonly string[]): void {
  if (CGROUP_DRIVER !== 'systemd' || units.length === 0) return;
  const loaded = systemctl('list-units', '--all', '--plain', '--no-legend', ...units)
    .split('\n')
    .flatMap((line) => line.split(/\s+/, 1))
    .filter(Boolean);
  if (loaded.length > 0) systemctl('stop', ...loaded);
}
