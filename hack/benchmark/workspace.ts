// Where daemons started for a measurement keep everything: folders, a bridge, a cgroup. All of it is new, and
// all of it goes away at the end, whatever the daemons left.

import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defaultBridgeConflist } from '../../pkg/network/default-conflist.ts';
import { removeTree } from '../../pkg/sys/files.ts';
import { unmount } from '../../pkg/sys/mount.ts';
import { mountsUnder } from '../../pkg/sys/mountinfo.ts';
import { CpuGroup } from './cpu-group.ts';

const FORWARDING = '/proc/sys/net/ipv4/ip_forward';

/** Folders that containerd makes wherever its roots are. */
const LEFT_EMPTY = [
  '/var/lib/cni/results',
  '/var/lib/cni/cache',
  '/var/lib/cni',
  '/run/containerd/s',
  '/run/containerd/runc/k8s.io',
  '/run/containerd/runc',
  '/run/containerd',
];

export class Workspace implements AsyncDisposable {
  /** On disk: images and layers. */
  readonly root: string;
  /** In memory: sockets and state. Short, since the path of a socket may have 107 characters. */
  readonly run: string;
  readonly cniDir: string;
  readonly group: CpuGroup;
  readonly #bridge: string;
  readonly #forwarding: string;

  /** @param network third byte of the pods' addresses, 198.18.<network>.0/20: the range set aside for benchmarks */
  constructor(name: string, network: number) {
    const suffix = randomBytes(2).toString('hex');
    this.root = `/var/lib/davit-bench-${suffix}-${name}`;
    this.run = `/run/davit-bench-${suffix}-${name}`;
    this.cniDir = join(this.root, 'cni');
    this.#bridge = `dvb-${suffix}-${name.slice(0, 3)}`;
    this.#forwarding = readFileSync(FORWARDING, 'utf8');
    for (const dir of [this.root, this.run, this.cniDir]) mkdirSync(dir, { mode: 0o700 });
    const conflist = defaultBridgeConflist({
      name: `bench-${suffix}`,
      bridge: this.#bridge,
      subnet: `198.18.${network}.0/20`,
      ipMasq: false,
      dataDir: join(this.run, 'ipam'),
    });
    writeFileSync(join(this.cniDir, '10-bench.conflist'), JSON.stringify(conflist));
    this.group = new CpuGroup(`/davit-bench-${suffix}-${name}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const dir of [this.run, this.root]) {
      const targets = (await mountsUnder(dir)).map(({ target }) => target);
      for (const target of targets.reverse()) unmount(target);
      await removeTree(dir);
    }
    this.group[Symbol.dispose]();
    for (const dir of LEFT_EMPTY) removeIfEmpty(dir);
    if (existsSync(`/sys/class/net/${this.#bridge}`)) {
      execFileSync('ip', ['link', 'delete', this.#bridge], { stdio: 'ignore' });
    }
    // The bridge plugin turns forwarding on; nobody needs it when no bridge is left.
    if (!hasBridge()) writeFileSync(FORWARDING, this.#forwarding);
  }
}

function removeIfEmpty(dir: string): void {
  try {
    rmdirSync(dir);
  } catch {
    // others use it, or nobody made it
  }
}

function hasBridge(): boolean {
  return readdirSync('/sys/class/net').some((name) => existsSync(`/sys/class/net/${name}/bridge`));
}
