// The namespaces of a pod with users of its own. The kernel lets only a process of a single thread make a user
// namespace, and gives it the namespaces made together with it. So unshare(1) makes them, and becomes a cat(1) that
// keeps them until they are pinned: it ends by itself with its input, also if the daemon dies.

import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { abortable } from '../async/abortable.ts';
import { Fault } from '../base/fault.ts';
import { run } from './exec.ts';
import {
  isIpcSysctl,
  isPinned,
  pinNamespacesOf,
  refuseHostSettings,
  toSysctlPath,
  unpinNamespaces,
  type PinOptions,
  type PodNamespace,
} from './namespace.ts';
import { drain, Output } from './output.ts';
import { type Child, spawn } from './spawn.ts';

/** Ids from 0 on within a namespace, and those that they are on the host. Users and groups are mapped alike. */
export interface IdMapping {
  readonly hostId: number;
  readonly length: number;
}

export function isSameMapping(a: IdMapping | undefined, b: IdMapping | undefined): boolean {
  return a?.hostId === b?.hostId && a?.length === b?.length;
}

/** A user namespace that is pinned at `path`, and what it maps. */
export interface PinnedUsers {
  readonly path: string;
  readonly mapping: IdMapping;
}

export interface UserPinOptions extends PinOptions {
  readonly mapping: IdMapping;
}

/**
 * As `pinNamespaces()`, in a user namespace of their own, which is pinned as `user`.
 *
 * @throws {Fault} unavailable — unshare(1) cannot be started; failed_precondition — the kernel makes no user
 * namespace, or refuses the mapping; and as `pinNamespaces()`. Nothing is left pinned then.
 */
export async function pinUserNamespaces(
  call: { readonly signal: AbortSignal },
  { mapping, ...options }: UserPinOptions,
): Promise<void> {
  const { dir, types } = options;
  refuseHostSettings(options);
  if ([...types, 'user'].every((type) => isPinned(join(dir, type)))) return;
  const sysctls = Object.entries(options.sysctls ?? {});
  const others = Object.fromEntries(sysctls.filter(([name]) => !isIpcSysctl(name)));
  await inUserNamespace(call, { types, mapping }, (pid) => {
    pinNamespacesOf(pid, { ...options, sysctls: others });
  });
  try {
    for (const [name, value] of sysctls) if (isIpcSysctl(name)) await setIpcSysctl(call, dir, name, value);
  } catch (error) {
    unpinNamespaces(dir);
    throw error;
  }
}

/** As the root of the pinned namespaces: the kernel asks who writes, and root of the host is somebody else. */
async function setIpcSysctl(
  call: { readonly signal: AbortSignal },
  dir: string,
  name: string,
  value: string,
): Promise<void> {
  const enter = ['user', 'ipc'].map((type) => `--${type}=${join(dir, type)}`);
  const args = [...enter, '--', '/usr/bin/tee', toSysctlPath(name)];
  const { exit } = await run(call, { file: '/usr/bin/nsenter', args, input: value });
  if (exit.kind === 'exited' && exit.code === 0) return;
  throw new Fault('invalid_argument', `the kernel refuses "${value}" for sysctl "${name}"`, {
    detail: { sysctl: name },
  });
}

/** Calls `body` with a process that has a user namespace, and others that belong to that one. */
export async function inUserNamespace<T>(
  call: { readonly signal: AbortSignal },
  { types, mapping }: { readonly types: readonly PodNamespace[]; readonly mapping: IdMapping },
  body: (pid: number) => T,
): Promise<T> {
  const child = startHolder(types);
  try {
    await abortable(isInside(child), call.signal);
    writeMapping(child.pid, mapping);
    return body(child.pid);
  } finally {
    child.stdin?.end();
    await child.exited;
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
  }
}

const FLAGS = { net: '--net', ipc: '--ipc', uts: '--uts' } as const;

function startHolder(types: readonly PodNamespace[]): Child {
  const args = ['--user', ...types.map((type) => FLAGS[type]), '--', '/bin/cat'];
  return spawn({ file: '/usr/bin/unshare', args, stdin: 'pipe', stdout: 'pipe', stderr: 'pipe' });
}

/** What cat(1) gives back shows that unshare(1) has done its work. */
async function isInside({ stdin, stdout, stderr, exited }: Child): Promise<void> {
  const said = new Output(stderr, MAX_MESSAGE_BYTES);
  stdin?.write('\n');
  const echoed = stdout === undefined ? undefined : once(stdout, 'data').then(() => true);
  if (await Promise.race([echoed, exited.then(() => false)])) return;
  await drain([said], DRAIN_TIMEOUT_MS);
  const why = said.bytes().toString().trim();
  throw new Fault('failed_precondition', `the kernel makes no user namespace: ${why}`);
}

const MAX_MESSAGE_BYTES = 1024;
const DRAIN_TIMEOUT_MS = 1000;

/** Source: user_namespaces(7). */
function writeMapping(pid: number, { hostId, length }: IdMapping): void {
  try {
    for (const file of ['uid_map', 'gid_map'])
      writeFileSync(`/proc/${pid}/${file}`, `0 ${hostId} ${length}\n`);
  } catch (cause) {
    const ids = `${hostId} to ${hostId + length - 1}`;
    throw new Fault('failed_precondition', `the kernel refuses to map the ids ${ids}`, { cause });
  }
}
