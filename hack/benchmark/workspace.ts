// Where daemons started for a measurement keep everything: folders, a bridge, a cgroup. All of it is new, and
// all of it goes away at the end, whatever the daemons left.

import { randomBytes } from 'node:crypto';
import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defaultBridgeConflist } from '../../pkg/network/default-conflist.ts';
import type { Belongings } from '../../pkg/sys/testing/belongings.ts';
import { claim } from '../../pkg/sys/testing/claim.ts';
import { readForwarding, takeAway } from '../../pkg/sys/testing/take-away.ts';
import { CpuGroup } from './cpu-group.ts';

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
  readonly #belongings: Belongings;
  readonly #claim: Disposable;

  /** @param network third byte of the pods' addresses, 198.18.<network>.0/20: the range set aside for benchmarks */
  constructor(name: string, network: number) {
    const suffix = randomBytes(2).toString('hex');
    this.root = `/var/lib/davit-bench-${suffix}-${name}`;
    this.run = `/run/davit-bench-${suffix}-${name}`;
    this.cniDir = join(this.root, 'cni');
    const bridge = `dvb-${suffix}-${name.slice(0, 3)}`;
    const cgroup = `/davit-bench-${suffix}-${name}`;
    this.#belongings = { dirs: [this.run, this.root], cgroup, bridge, forwarding: readForwarding() };
    for (const dir of [this.root, this.run]) mkdirSync(dir, { mode: 0o700 }); // fails if others have the name
    this.#claim = claim(this.#belongings);
    mkdirSync(this.cniDir);
    const conflist = defaultBridgeConflist({
      name: `bench-${suffix}`,
      bridge,
      subnet: `198.18.${network}.0/20`,
      ipMasq: false,
      dataDir: join(this.run, 'ipam'),
    });
    writeFileSync(join(this.cniDir, '10-bench.conflist'), JSON.stringify(conflist));
    this.group = new CpuGroup(cgroup);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await takeAway(this.#belongings);
    for (const dir of LEFT_EMPTY) removeIfEmpty(dir);
    this.#claim[Symbol.dispose]();
  }
}

function removeIfEmpty(dir: string): void {
  try {
    rmdirSync(dir);
  } catch {
    // others use it, or nobody made it
  }
}
