// Where one daemon of the tests keeps everything. All names are random, so that runs side by side do not meet,
// and so that whatever is found with one of them later is known to be a leak.

import { execFileSync } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Belongings } from '../../../pkg/sys/testing/belongings.ts';
import { claim } from '../../../pkg/sys/testing/claim.ts';
import { nodeCgroup } from './cgroup-driver.ts';

export interface Place {
  /** `davit-e2e-1f2e3d4c`: in the name of everything. */
  readonly name: string;
  /** Holds all the files below; real, without symbolic links. */
  readonly dir: string;
  readonly root: string;
  readonly run: string;
  readonly socket: string;
  readonly config: string;
  readonly daemonLog: string;
  readonly cniDir: string;
  /** Searched for CNI plugins before those of the distribution. */
  readonly pluginDir: string;
  /** Where host-local notes the addresses that it gave out. */
  readonly ipamDir: string;
  /** hosts.toml of registries. */
  readonly certsDir: string;
  readonly logDir: string;
  /** Of all pods, in every hierarchy: `/davit-e2e-1f2e3d4c`, or with systemd `/davit_e2e_1f2e3d4c.slice`. */
  readonly cgroupParent: string;
  readonly bridge: string;
  /** `10.140.7`: the first three numbers of the pods' addresses. */
  readonly network: string;
}

/** What is taken away when the node is closed; if the tests are killed before that, by the next run of tests. */
export function belongingsOf({ dir, cgroupParent, bridge, name }: Place): Belongings {
  return { dirs: [dir], cgroup: cgroupParent, bridge, rules: name };
}

/** Makes the directories, and the bridge, whose name is also the claim on its subnet. */
export function makePlace(): Place {
  const dir = mkdtempSync(join(tmpdir(), 'davit-e2e-'));
  chmodSync(dir, 0o711); // root of a pod with users of its own has to get to its bundle
  const name = `davit-e2e-${randomBytes(4).toString('hex')}`;
  const { bridge, network } = claimNetwork();
  const place: Place = {
    name,
    dir,
    root: join(dir, 'root'),
    run: join(dir, 'run'),
    socket: join(dir, 'davit.sock'),
    config: join(dir, 'davit.toml'),
    daemonLog: join(dir, 'davit.log'),
    cniDir: join(dir, 'cni'),
    pluginDir: join(dir, 'plugins'),
    ipamDir: join(dir, 'ipam'),
    certsDir: join(dir, 'certs.d'),
    logDir: join(dir, 'pods'),
    cgroupParent: nodeCgroup(name),
    bridge,
    network,
  };
  claim(belongingsOf(place)); // for as long as this process runs: `cleanUp()` may be asked again
  for (const path of [place.cniDir, place.pluginDir, place.ipamDir, place.certsDir, place.logDir])
    mkdirSync(path);
  return place;
}

const TRIES = 50;

/** Two runs cannot make the same bridge, and so never share a subnet. */
function claimNetwork(): { bridge: string; network: string } {
  for (let tries = 0; tries < TRIES; tries++) {
    const [second, third] = [randomInt(130, 200), randomInt(0, 256)];
    const bridge = `dv-e2e-${second}-${third}`;
    const network = `10.${second}.${third}`;
    if (hasRoute(network)) continue;
    try {
      execFileSync('ip', ['link', 'add', bridge, 'type', 'bridge'], { stdio: 'pipe' });
      return { bridge, network };
    } catch {
      // another run has it
    }
  }
  throw new Error(`no free subnet found in ${TRIES} tries`);
}

function hasRoute(network: string): boolean {
  const routes = execFileSync('ip', ['-4', 'route', 'show', 'root', `${network}.0/24`], { encoding: 'utf8' });
  return routes.trim() !== '';
}
