// The mounts of a container: what the pod asks for, and the files that every container of the pod shares.

import { mkdir, realpath } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { Fault } from '../base/fault.ts';
import type { Container, ContainerMount } from '../container/container.ts';
import { volumesDirectory } from '../container/idmapped-volumes.ts';
import { containerPaths } from '../container/paths.ts';
import type { MountInput } from '../runtime/mounts.ts';
import { sandboxPaths } from '../sandbox/paths.ts';
import { isErrno } from '../sys/errno.ts';
import { mountOf } from '../sys/mountinfo.ts';
import type { Ingredients } from './ingredients.ts';

/** A mount whose `source` is there only once the container is made. */
export interface HostMount extends MountInput {
  /** What `source` shows with its ids mapped. */
  readonly original?: string | undefined;
  /** Whether its files get the SELinux label of the container. */
  readonly relabel?: boolean | undefined;
}

/**
 * All but the images, which have no path before they are mounted.
 *
 * @param runDir the daemon's run directory
 * @throws {Fault} invalid_argument — a source cannot be mounted
 */
export async function toMounts(
  runDir: string,
  { container, sandbox, config }: Pick<Ingredients, 'container' | 'sandbox' | 'config'>,
): Promise<HostMount[]> {
  const { bundle } = containerPaths(runDir, container.id);
  const asked = await Promise.all(container.mounts.flatMap((mount, index) => toMount(bundle, mount, index)));
  const taken = new Set(container.mounts.map(toDestination));
  const paths = sandboxPaths(runDir, sandbox.id);
  const options = ['nosuid', 'nodev', 'noexec'];
  const ofPod = { readonly: config.security.readonlyRootfs, options, relabel: true };
  const shared: HostMount[] = [
    { source: paths.resolvConf, destination: '/etc/resolv.conf', ...ofPod },
    { source: paths.hostname, destination: '/etc/hostname', ...ofPod },
    { source: paths.hosts, destination: '/etc/hosts', ...ofPod },
  ];
  return [...shared.filter(({ destination }) => !taken.has(destination)), ...asked];
}

/** @param sources where on the host the images are mounted, in the order of the container's mounts */
export function toImageMounts(
  { mounts }: Pick<Container, 'mounts'>,
  sources: readonly string[],
): MountInput[] {
  const images = mounts.filter(({ image }) => image !== undefined);
  return images.map((mount, index) => {
    const source = sources[index];
    if (source === undefined) throw new Fault('internal', `image volume ${index} has not been mounted`);
    return { source, destination: toDestination(mount), readonly: true, options: mount.options };
  });
}

/** Where something of the pod is mounted, images too. */
export function toPlaces({ mounts }: Pick<Container, 'mounts'>): { readonly destination: string }[] {
  return mounts.map((mount) => ({ destination: toDestination(mount) }));
}

function toMount(bundle: string, mount: ContainerMount, index: number): Promise<HostMount>[] {
  return mount.image === undefined ? [toHostMount(bundle, mount, index)] : [];
}

async function toHostMount(bundle: string, mount: ContainerMount, index: number): Promise<HostMount> {
  const path = await toSource(mount.hostPath, `config.mounts[${index}].host_path`);
  await checkPropagation(path, mount.propagation, `config.mounts[${index}].propagation`);
  return {
    ...(mount.idMapping === undefined
      ? { source: path }
      : { source: join(volumesDirectory(bundle), String(index)), original: path }),
    destination: toDestination(mount),
    readonly: mount.readonly,
    recursiveReadonly: mount.recursiveReadOnly,
    propagation: mount.propagation,
    options: mount.options,
    relabel: mount.selinuxRelabel,
  };
}

function toDestination({ containerPath }: ContainerMount): string {
  return posix.resolve('/', containerPath);
}

/** A mount passes on only what is shared with it: asked for anything else it would do nothing, without a word. */
async function checkPropagation(
  path: string,
  propagation: ContainerMount['propagation'],
  field: string,
): Promise<void> {
  if (propagation === 'private') return;
  const { target, peers } = await mountOf(path);
  if (peers.shared || (peers.slave && propagation === 'host_to_container')) return;
  const needed = propagation === 'bidirectional' ? 'shared' : 'shared or a slave';
  throw new Fault(
    'failed_precondition',
    `${field} "${propagation}" is not possible: "${path}" is on the mount "${target}", which is not ${needed}`,
  );
}

/** The path itself, links followed. One that is missing becomes a directory, as the kubelet expects. */
async function toSource(path: string, field: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (cause) {
    if (!isErrno(cause, 'ENOENT')) throw cannotMount(path, field, cause);
  }
  try {
    await mkdir(path, { recursive: true });
    return await realpath(path);
  } catch (cause) {
    throw cannotMount(path, field, cause);
  }
}

function cannotMount(path: string, field: string, cause: unknown): Fault {
  return new Fault('invalid_argument', `${field} "${path}" cannot be mounted`, { cause }); // which says why
}
