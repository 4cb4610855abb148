// The configuration files of a daemon under test.

import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defaultBridgeConflist } from '../../../pkg/network/default-conflist.ts';
import { CGROUP_DRIVER } from './cgroup-driver.ts';
import { patience } from './patience.ts';
import type { Place } from './place.ts';

const REPO = join(import.meta.dirname, '../../..');

/** The bridge network of the node, in a file of this name. */
export const CONFLIST = '10-e2e.conflist';

/** That the configuration allows. */
const MAX_TIMEOUT_SECONDS = 600;

/** @param dropIn TOML that wins over this, in a file of its own */
export function writeDaemonConfig(place: Place, dropIn: string): void {
  const text = `
root = "${place.root}"
run = "${place.run}"
socket = "${place.socket}"

[log]
level = "debug"

[cgroup]
driver = "${CGROUP_DRIVER}"
parent = "${place.cgroupParent}"

[cni]
conf_dir = "${place.cniDir}"
bin_dirs = ["${place.pluginDir}", "/usr/lib/cni", "/opt/cni/bin"]
timeout_seconds = ${Math.min(patience(30), MAX_TIMEOUT_SECONDS)}

[image]
certs_dirs = ["${place.certsDir}"]

[runtime.handlers]
runc = { path = "/usr/sbin/runc" }
crun = { path = "${join(REPO, 'test/crun-hybrid')}" }
`;
  writeFileSync(place.config, text);
  mkdirSync(`${place.config}.d`);
  writeFileSync(join(`${place.config}.d`, '10-test.toml'), dropIn);
}

/** Addresses of both families, masquerading, host ports: what a node has. */
export function writeNetworkConfig(place: Place): void {
  const { name, bridge, network, ipamDir } = place;
  const conflist = defaultBridgeConflist({
    name,
    bridge,
    subnet: `${network}.0/24`,
    secondSubnet: `${ipv6Prefix(place)}::/64`,
    ipMasq: true,
    dataDir: ipamDir,
  });
  writeConflist(place, CONFLIST, JSON.stringify(conflist));
}

/** Replaced at once: the daemon watches the directory. */
export function writeConflist({ cniDir }: Pick<Place, 'cniDir'>, file: string, text: string): void {
  const path = join(cniDir, file);
  writeFileSync(`${path}.tmp`, text);
  renameSync(`${path}.tmp`, path);
}

/** `fdda:140:7:1` */
export function ipv6Prefix({ network }: Place): string {
  const [, second = '', third = ''] = network.split('.');
  return `fdda:${second}:${third}:1`;
}
