// CRI's ContainerConfig, checked and in our words.

import {
  MountPropagation,
  mountPropagationName,
  Signal,
  signalName,
  type ContainerConfig as WireConfig,
  type Mount,
} from '../../../api/cri/generated/types.ts';
import type { Propagation } from '../../container/container.ts';
import type { ContainerConfig, MountConfig } from '../../pod/container-config.ts';
import { toSecurity } from './container-security.ts';
import { checkLengths, refuse, required, toAbsolutePath } from './field.ts';
import { toResources } from './resources.ts';
import { toIdMapping } from './user-namespace.ts';

/** @throws {Fault} invalid_argument — a field is missing or makes no sense; unimplemented — not yet possible */
export function toContainerConfig(config: WireConfig): ContainerConfig {
  const metadata = required(config.metadata, 'config.metadata');
  const { command, args, envs, mounts, devices } = config;
  checkLengths({
    ...{ 'config.command': command, 'config.args': args, 'config.envs': envs },
    ...{ 'config.mounts': mounts, 'config.devices': devices },
    'config.CDI_devices': config.cdiDevices,
    'config.linux.security_context.supplemental_groups': groupsOf(config),
  });
  return {
    metadata: { name: required(metadata.name, 'config.metadata.name'), attempt: metadata.attempt },
    image: required(required(config.image, 'config.image').image, 'config.image.image'),
    userSpecifiedImage: config.image?.userSpecifiedImage ?? '',
    command,
    args,
    workingDir: config.workingDir,
    env: envs.map(({ key, value }) => ({ name: toVariableName(key), value })),
    mounts: mounts.map(toMount),
    devices: devices.map(({ hostPath, containerPath, permissions }, index) => ({
      hostPath: toAbsolutePath(hostPath, `config.devices[${index}].host_path`),
      containerPath: containerPath === '' ? hostPath : containerPath,
      permissions: toPermissions(permissions, index),
    })),
    cdiDevices: config.cdiDevices.map(({ name }) => name),
    labels: config.labels,
    annotations: config.annotations,
    logPath: config.logPath,
    stdin: config.stdin,
    stdinOnce: config.stdinOnce,
    tty: config.tty,
    stopSignal: toSignal(config.stopSignal),
    resources: config.linux?.resources === undefined ? undefined : toResources(config.linux.resources),
    oomScoreAdj: Number(config.linux?.resources?.oomScoreAdj ?? 0n),
    security: toSecurity(config.linux?.securityContext),
  };
}

function groupsOf({ linux }: WireConfig): readonly bigint[] {
  return linux?.securityContext?.supplementalGroups ?? [];
}

function toVariableName(name: string): string {
  if (name === '' || /[=\0]/.test(name))
    throw refuse('config.envs.key', name, 'is not the name of a variable');
  return name;
}

function toPermissions(permissions: string, index: number): string {
  if (!/^[rwm]{0,3}$/.test(permissions))
    throw refuse(`config.devices[${index}].permissions`, permissions, 'has other letters than r, w and m');
  return permissions === '' ? 'rwm' : permissions;
}

const PROPAGATIONS: ReadonlyMap<number, Propagation> = new Map([
  [MountPropagation.PROPAGATION_PRIVATE, 'private'],
  [MountPropagation.PROPAGATION_HOST_TO_CONTAINER, 'host_to_container'],
  [MountPropagation.PROPAGATION_BIDIRECTIONAL, 'bidirectional'],
]);

function toMount(mount: Mount, index: number): MountConfig {
  const at = `config.mounts[${index}]`;
  const propagation = PROPAGATIONS.get(mount.propagation);
  if (propagation === undefined)
    throw refuse(`${at}.propagation`, mountPropagationName(mount.propagation), 'is not known');
  const { readonly, recursiveReadOnly, selinuxRelabel } = mount;
  checkRecursive(recursiveReadOnly, readonly, propagation, at);
  return {
    containerPath: required(mount.containerPath, `${at}.container_path`),
    ...toSource(mount, propagation, at),
    readonly,
    recursiveReadOnly,
    propagation,
    selinuxRelabel,
    ...toMountOptions(mount, at),
    ...toMountMapping(mount, at),
  };
}

/** What takes something away from a container, and nothing that gives. Source: mount(8). */
const MOUNT_OPTIONS: ReadonlySet<string> = new Set([
  'ro',
  'noexec',
  'nosuid',
  'nodev',
  'noatime',
  'nodiratime',
  'relatime',
  'strictatime',
]);

function toMountOptions({ mountOptions }: Mount, at: string): Pick<MountConfig, 'options'> {
  const other = mountOptions.find((option) => !MOUNT_OPTIONS.has(option));
  if (other !== undefined)
    throw refuse(`${at}.mount_options`, other, `is none of ${[...MOUNT_OPTIONS].join(', ')}`);
  return mountOptions.length === 0 ? {} : { options: mountOptions };
}

function toMountMapping({ uidMappings, gidMappings }: Mount, at: string): Pick<MountConfig, 'idMapping'> {
  if (uidMappings.length + gidMappings.length === 0) return {};
  const fields = { uids: `${at}.uid_mappings`, gids: `${at}.gid_mappings` };
  return { idMapping: toIdMapping(uidMappings, gidMappings, fields) };
}

/** Source: the CRI on `image`. */
function toSource(
  mount: Mount,
  propagation: Propagation,
  at: string,
): Pick<MountConfig, 'hostPath' | 'image'> {
  const { hostPath, image, imageSubPath: subPath, readonly } = mount;
  if (image === undefined || image.image === '') {
    if (subPath !== '') throw refuse(`${at}.image_sub_path`, subPath, 'needs an image');
    return { hostPath: toAbsolutePath(required(hostPath, `${at}.host_path`), `${at}.host_path`) };
  }
  if (hostPath !== '') throw refuse(`${at}.host_path`, hostPath, 'excludes an image');
  if (!readonly) throw refuse(`${at}.readonly`, 'false', 'is not possible for an image');
  if (propagation !== 'private')
    throw refuse(`${at}.propagation`, propagation, 'is not possible for an image');
  if (subPath.includes('\0')) throw refuse(`${at}.image_sub_path`, subPath, 'contains a zero byte');
  const { image: name, userSpecifiedImage: userSpecified } = image;
  return { hostPath, image: { name, userSpecified, subPath } };
}

/** Source: the CRI on `recursive_read_only`. */
function checkRecursive(recursive: boolean, readonly: boolean, propagation: Propagation, at: string): void {
  if (!recursive) return;
  if (!readonly) throw refuse(`${at}.recursive_read_only`, 'true', 'needs a mount that is read-only');
  if (propagation !== 'private')
    throw refuse(`${at}.recursive_read_only`, 'true', 'needs a mount whose propagation is private');
}

/** @returns `SIGTERM`, `SIGRTMIN+3`; `undefined` where the image or the default decides */
function toSignal(signal: number): string | undefined {
  if (signal === Signal.SIGNAL_RUNTIME_DEFAULT) return undefined;
  const name = signalName(signal);
  if (!name.startsWith('SIGNAL_')) throw refuse('config.stop_signal', signal, 'is not a known signal');
  return name.slice('SIGNAL_'.length).replace('PLUS', '+').replace('MINUS', '-');
}
