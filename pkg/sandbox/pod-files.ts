// The files that every container of a pod sees: /etc/resolv.conf, /etc/hostname, /etc/hosts.

import { chown, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { allDone } from '../async/all-done.ts';
import { readTextIfExists } from '../sys/files.ts';
import type { SandboxPaths } from './paths.ts';
import type { DnsConfig, SandboxConfig } from './sandbox.ts';

/** World-readable: containers run under any user id. */
const FILE_MODE = { mode: 0o644 };

export async function writePodFiles(paths: SandboxPaths, config: SandboxConfig): Promise<void> {
  const { dns } = config;
  const resolvConf = dns === undefined ? await readTextIfExists('/etc/resolv.conf') : resolvConfOf(dns);
  const name = podHostname(config);
  const hosts = await readTextIfExists('/etc/hosts');
  await allDone([
    writeFile(paths.resolvConf, resolvConf ?? '', FILE_MODE),
    writeFile(paths.hostname, `${name}\n`, FILE_MODE),
    writeFile(paths.hosts, hosts ?? '', FILE_MODE),
  ]);
  await allDone([paths.resolvConf, paths.hostname, paths.hosts].map((path) => giveToRoot(path, config)));
}

/** To the root of the pod, who is somebody else on the host if the pod has users of its own. */
async function giveToRoot(path: string, { userNamespace }: SandboxConfig): Promise<void> {
  if (userNamespace !== undefined) await chown(path, userNamespace.hostId, userNamespace.hostId);
}

/** A pod on the node's network has the node's name, as its services are known by it. */
export function podHostname(config: SandboxConfig): string {
  return config.network === 'node' || config.hostname === '' ? hostname() : config.hostname;
}

/** Source: resolv.conf(5). */
export function resolvConfOf({ servers, searches, options }: DnsConfig): string {
  const lines = [
    ...(searches.length > 0 ? [`search ${searches.join(' ')}`] : []),
    ...servers.map((server) => `nameserver ${server}`),
    ...(options.length > 0 ? [`options ${options.join(' ')}`] : []),
  ];
  return lines.map((line) => `${line}\n`).join('');
}
