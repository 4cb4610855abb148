// A cgroup for each exec, below that of its container. Whatever the command starts is in it, also what has
// left its session and its parents: only so can a command be killed with all that it started.

import { randomBytes } from 'node:crypto';
import { mkdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Call } from '../base/call.ts';
import { Fault } from '../base/fault.ts';
import type { Cgroups } from '../sys/cgroup.ts';
import { isErrno } from '../sys/errno.ts';
import { listMounts, type MountPoint } from '../sys/mountinfo.ts';
import type { RuntimeHandler } from './handlers.ts';
import type { OciCli } from './runtime-cli.ts';

export interface ExecCgroup extends AsyncDisposable {
  /** For `exec --cgroup` of an OCI runtime. */
  readonly arg: string;
  /** Kills all in it, also what is started meanwhile, until nothing is left. */
  killAll(call: Call): Promise<void>;
}

export class ExecCgroups {
  readonly cgroups: Cgroups;
  readonly #mounts: readonly MountPoint[];
  readonly #cli: Pick<OciCli, 'version'>;
  /** What each runtime calls itself, by its path. */
  readonly #names = new Map<string, Promise<string>>();

  private constructor(cgroups: Cgroups, mounts: readonly MountPoint[], cli: Pick<OciCli, 'version'>) {
    this.cgroups = cgroups;
    this.#mounts = mounts;
    this.#cli = cli;
  }

  static async open(cgroups: Cgroups, cli: Pick<OciCli, 'version'>): Promise<ExecCgroups> {
    return new ExecCgroups(cgroups, await listMounts(), cli);
  }

  /**
   * Makes one. Disposing removes it, unless the command left processes behind: then it goes with its container.
   *
   * On version 2 and, with runc, on version 1 there is a directory in one hierarchy only. Other runtimes would
   * leave the container's other cgroups of version 1, and its limits, so there one is made in each.
   *
   * @param container path of the container's cgroup
   * @throws {Fault} failed_precondition — the container has no cgroup
   */
  async create(call: Call, container: string, handler: RuntimeHandler): Promise<ExecCgroup> {
    const name = `exec-${randomBytes(4).toString('hex')}`;
    const path = `${container}/${name}`;
    const hierarchy = await this.#oneHierarchy(call, handler);
    try {
      await (hierarchy === undefined ? this.cgroups.create(path) : mkdir(join(hierarchy.root, path)));
    } catch (cause) {
      if (!isErrno(cause, 'ENOENT')) throw cause;
      throw new Fault('failed_precondition', `there is no cgroup "${container}"`, { cause });
    }
    return {
      arg: hierarchy?.controller === undefined ? name : `${hierarchy.controller}:${name}`,
      killAll: (killCall) => this.cgroups.killAll(killCall, path),
      [Symbol.asyncDispose]: () => this.#remove(path, hierarchy),
    };
  }

  /** Nearly always it is empty, and in one place: then one system call does. */
  async #remove(path: string, hierarchy: Hierarchy | undefined): Promise<void> {
    if (hierarchy !== undefined && (await isRemoved(join(hierarchy.root, path)))) return;
    const left = await this.cgroups.pids(path);
    if (left.length === 0) await this.cgroups.remove(path);
  }

  /** The kubelet's cAdvisor does not look into the freezer, and so not at every exec. */
  async #oneHierarchy(call: Call, handler: RuntimeHandler): Promise<Hierarchy | undefined> {
    if (this.cgroups.version === 2) {
      const unified = this.#mounts.find(({ fsType }) => fsType === 'cgroup2');
      return unified && { root: unified.target };
    }
    const freezer = this.#mounts.find(
      ({ fsType, superOptions }) => fsType === 'cgroup' && superOptions.includes('freezer'),
    );
    if (freezer === undefined || (await this.#nameOf(call, handler)) !== 'runc') return undefined;
    return { root: freezer.target, controller: 'freezer' };
  }

  #nameOf(call: Call, handler: RuntimeHandler): Promise<string> {
    const known = this.#names.get(handler.path);
    if (known !== undefined) return known;
    const asked = this.#cli.version(call, handler).then(({ name }) => name);
    this.#names.set(handler.path, asked);
    asked.catch(() => this.#names.delete(handler.path));
    return asked;
  }
}

interface Hierarchy {
  readonly root: string;
  readonly controller?: string;
}

async function isRemoved(dir: string): Promise<boolean> {
  try {
    await rmdir(dir);
    return true;
  } catch (error) {
    if (isErrno(error, 'EBUSY', 'ENOTEMPTY', 'ENOENT')) return isErrno(error, 'ENOENT');
    throw error;
  }
}
