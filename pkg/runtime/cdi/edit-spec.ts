// Puts CDI devices into the configuration of a container.

import { Fault } from '../../base/fault.ts';
import type { Call } from '../../base/call.ts';
import { readDevices } from '../host-devices.ts';
import { addHooks, type NamedHook } from '../oci-hooks.ts';
import type { OciDevice, OciDeviceRule, OciMount, OciSpec } from '../oci-spec.ts';
import type { NamedEdits } from './registry.ts';
import type { ContainerEdits, DeviceNode } from './spec-file.ts';

/** A device with all its numbers, and what processes may do with it. */
interface Node {
  readonly device: OciDevice;
  /** Some of `rwm`; '' for none. */
  readonly permissions: string;
}

/**
 * Looks the devices up on the node.
 *
 * @returns what changes a finished configuration
 * @throws {Fault} invalid_argument — a device node is not there; the message names the device that wants it
 */
export async function planEdits(
  call: Call,
  wanted: readonly NamedEdits[],
): Promise<(spec: OciSpec) => OciSpec> {
  call.signal.throwIfAborted();
  const looked = await Promise.all(
    wanted.map(async ({ name, edits }) => ({ name, edits, nodes: await lookUpAll(name, edits) })),
  );
  return (spec) => looked.reduce((before, one) => applyEdits(before, one), spec);
}

function applyEdits(
  spec: OciSpec,
  { name, edits, nodes }: NamedEdits & { readonly nodes: readonly Node[] },
): OciSpec {
  const edited: OciSpec = {
    ...spec,
    process: {
      ...spec.process,
      env: withVariables(spec.process.env, edits.env ?? []),
      user: withGroups(spec.process.user, edits.additionalGids ?? []),
    },
    mounts: withMounts(spec.mounts, edits.mounts ?? []),
    linux: { ...withNodes(spec, nodes), ...toRdt(edits), ...toNetDevices(spec, edits) },
  };
  return addHooks(edited, (edits.hooks ?? []).map(toHook(name)));
}

async function lookUpAll(name: string, { deviceNodes = [] }: ContainerEdits): Promise<Node[]> {
  try {
    return await Promise.all(deviceNodes.map(lookUp));
  } catch (cause) {
    const { code, message } = Fault.from(cause);
    throw new Fault(code, `cannot use CDI device "${name}": ${message}`, { cause });
  }
}

/** What the specification does not say is as on the node. */
async function lookUp(node: DeviceNode): Promise<Node> {
  const permissions = toPermissions(node.permissions);
  const numbers = givenNumbers(node) ?? (await readNumbers(node));
  return { device: { path: node.path, ...numbers, ...ownerOf(node) }, permissions };
}

type Numbers = Pick<OciDevice, 'type' | 'major' | 'minor'>;

function givenNumbers({ type, major = 0, minor = 0 }: DeviceNode): Numbers | undefined {
  const kind = kindOf(type);
  return kind !== undefined && (major !== 0 || kind === 'p') ? { type: kind, major, minor } : undefined;
}

async function readNumbers({ path, hostPath = '', type }: DeviceNode): Promise<Numbers> {
  const source = hostPath === '' ? path : hostPath;
  const [found] = await readDevices({ hostPath: source, containerPath: path, permissions: 'rwm' });
  if (found?.path !== path) throw new Fault('invalid_argument', `"${source}" is not a device`);
  const kind = kindOf(type);
  if (kind !== undefined && kind !== found.type)
    throw new Fault('invalid_argument', `"${source}" is a device of type "${found.type}", not "${kind}"`);
  return { type: found.type, major: found.major, minor: found.minor };
}

/** `u` is a character device without a buffer: an old name for the same. */
function kindOf(type: DeviceNode['type'] = ''): OciDevice['type'] | undefined {
  if (type === '') return undefined;
  return type === 'u' ? 'c' : type;
}

function ownerOf({ fileMode, uid, gid }: DeviceNode): Pick<OciDevice, 'fileMode' | 'uid' | 'gid'> {
  return {
    ...(fileMode === undefined ? {} : { fileMode }),
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  };
}

function toPermissions(said = ''): string {
  if (said === '') return 'rwm';
  return said === 'none' ? '' : said;
}

function withVariables(env: readonly string[], added: readonly string[]): string[] {
  const nameOf = (variable: string) => variable.slice(0, variable.indexOf('='));
  const variables = new Map([...env, ...added].map((variable) => [nameOf(variable), variable]));
  return [...variables.values()];
}

/** Root's group would open what is root's: the CDI leaves it out. */
function withGroups(user: OciSpec['process']['user'], added: readonly number[]): OciSpec['process']['user'] {
  const groups = added.filter((gid) => gid !== 0);
  return { ...user, additionalGids: [...new Set([...user.additionalGids, ...groups])] };
}

function withMounts(mounts: readonly OciMount[], added: NonNullable<ContainerEdits['mounts']>): OciMount[] {
  if (added.length === 0) return [...mounts];
  const places = new Set(added.map(({ containerPath }) => containerPath));
  const kept = mounts.filter(({ destination }) => !places.has(destination));
  return [...kept, ...added.map(toMount)].sort((a, b) => depth(a) - depth(b)); // a mount would hide those below it
}

function toMount({ hostPath, containerPath, type = '', options = [] }: MountEdit): OciMount {
  const isBind = options.some((option) => option === 'bind' || option === 'rbind');
  return {
    destination: containerPath,
    source: hostPath,
    type: type === '' ? 'bind' : type,
    options: type !== '' || isBind ? options : ['rbind', ...options],
  };
}

type MountEdit = NonNullable<ContainerEdits['mounts']>[number];

function depth({ destination }: OciMount): number {
  return destination.split('/').filter(Boolean).length;
}

/** Nodes belong to the user of the container unless the specification says whose they are. */
function withNodes({ linux, process }: OciSpec, nodes: readonly Node[]): OciSpec['linux'] {
  const { uid, gid } = process.user;
  const places = new Set(nodes.map(({ device }) => device.path));
  const devices = nodes.map(({ device }) => ({
    ...(uid > 0 ? { uid } : {}),
    ...(gid > 0 ? { gid } : {}),
    ...device,
  }));
  const rules = nodes.flatMap(toRule);
  return {
    ...linux,
    devices: [...linux.devices.filter(({ path }) => !places.has(path)), ...devices],
    resources: { ...linux.resources, devices: [...(linux.resources.devices ?? []), ...rules] },
  };
}

function toRule({ device: { type, major, minor }, permissions }: Node): OciDeviceRule[] {
  return type === 'p' || permissions === '' ? [] : [{ allow: true, type, major, minor, access: permissions }];
}

function toRdt({ intelRdt }: ContainerEdits): Partial<OciSpec['linux']> {
  return intelRdt === undefined ? {} : { intelRdt };
}

function toNetDevices({ linux }: OciSpec, { netDevices = [] }: ContainerEdits): Partial<OciSpec['linux']> {
  if (netDevices.length === 0) return {};
  const added = netDevices.map(({ hostInterfaceName, name }) => [hostInterfaceName, { name }] as const);
  return { netDevices: { ...linux.netDevices, ...Object.fromEntries(added) } };
}

function toHook(name: string): (hook: NonNullable<ContainerEdits['hooks']>[number]) => NamedHook {
  return ({ hookName, path, args, env, timeout }) => ({
    stage: hookName,
    name,
    hook: { path, args, env, timeout },
  });
}
