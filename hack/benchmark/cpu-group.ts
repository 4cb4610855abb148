// A cgroup for one runtime and all its pods: its CPU time is that of daemon, monitors, OCI runtimes and
// containers together, to the nanosecond, and of nothing else on the machine. Its workspace takes it away.

import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const MOUNT = '/sys/fs/cgroup';

export class CpuGroup {
  readonly #path: string;
  /** Where CPU time is counted. */
  readonly #hierarchy: string;
  /** And where it is shared, if that is another: outside of all groups the kernel makes one of each session. */
  readonly #daemonDirs: readonly string[];

  /** @param path `/davit-bench-1a2b`: from the root of every hierarchy */
  constructor(path: string) {
    this.#path = path;
    this.#hierarchy = cpuHierarchy();
    const sharing = join(MOUNT, 'cpu');
    const hierarchies = isUnified() || !existsSync(sharing) ? [this.#hierarchy] : [this.#hierarchy, sharing];
    this.#daemonDirs = [...new Set(hierarchies.map((dir) => realpathSync(dir)))].map((dir) =>
      join(dir, path, 'daemon'),
    );
    for (const dir of this.#daemonDirs) mkdirSync(dir, { recursive: true });
  }

  /** The cgroup for the runtime's pods. */
  get podParent(): string {
    return `${this.#path}/pods`;
  }

  /** Moves a process in; what it starts later is in too. */
  add(pid: number): void {
    for (const dir of this.#daemonDirs) writeFileSync(join(dir, 'cgroup.procs'), String(pid));
  }

  usedMs(): number {
    const dir = join(this.#hierarchy, this.#path);
    if (existsSync(join(dir, 'cpuacct.usage'))) return Number(readFileSync(join(dir, 'cpuacct.usage'))) / 1e6;
    const usec = /^usage_usec (\d+)$/m.exec(readFileSync(join(dir, 'cpu.stat'), 'utf8'))?.[1];
    return Number(usec) / 1e3;
  }

  /** How many there are in it: daemon, monitors, OCI runtimes and containers. */
  processes(): number {
    return countProcesses(join(this.#hierarchy, this.#path));
  }

  /** How many cgroups of pods and containers there are. */
  groups(): number {
    return countGroups(join(this.#hierarchy, this.podParent));
  }
}

function isUnified(): boolean {
  return existsSync(join(MOUNT, 'cgroup.controllers'));
}

function cpuHierarchy(): string {
  if (isUnified()) return MOUNT;
  const name = ['cpu,cpuacct', 'cpuacct'].find((each) => existsSync(join(MOUNT, each)));
  if (name === undefined) throw new Error(`no cgroup hierarchy below "${MOUNT}" counts CPU time`);
  return join(MOUNT, name);
}

function countProcesses(dir: string): number {
  const own = readFileSync(join(dir, 'cgroup.procs'), 'utf8').split('\n').length - 1;
  const below = readdirSync(dir, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return below.reduce((sum, { name }) => sum + countProcesses(join(dir, name)), own);
}

function countGroups(dir: string): number {
  if (!existsSync(dir)) return 0;
  const below = readdirSync(dir, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return below.reduce((sum, { name }) => sum + 1 + countGroups(join(dir, name)), 0);
}
