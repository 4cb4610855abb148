// Classes of a container by annotation: how fast it may use block devices, and which share of caches and memory
// bandwidth its processes get (RDT). The names are those of containerd and CRI-O.
// Source: github.com/intel/goresctrl, pkg/blockio and pkg/rdt.

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../base/fault.ts';
import { isErrno } from '../sys/errno.ts';
import { readDevices } from './host-devices.ts';
import type { OciBlockIo } from './oci-spec.ts';

/** 0 for no limit, and for the default weight. */
export interface BlockIoClass {
  /** Paths of block devices, to which all but the weight applies. */
  readonly devices: readonly string[];
  readonly weight: number;
  readonly read_bytes_per_second: number;
  readonly write_bytes_per_second: number;
  readonly read_operations_per_second: number;
  readonly write_operations_per_second: number;
}

export interface ResourceClassesOptions {
  readonly blockio: Readonly<Record<string, BlockIoClass>>;
  /** Where the kernel keeps the classes of RDT: `/sys/fs/resctrl`. */
  readonly resctrl: string;
}

export interface ClassedContainer {
  readonly name: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly podAnnotations: Readonly<Record<string, string>>;
}

export interface ResourceClasses {
  readonly blockIo?: OciBlockIo;
  readonly rdtClass?: string;
}

/** @throws {Fault} failed_precondition — a class is asked for that this node does not have */
export async function findClasses(
  { blockio, resctrl }: ResourceClassesOptions,
  container: ClassedContainer,
): Promise<ResourceClasses> {
  const blockIoName = classOf('blockio', container);
  const rdtClass = classOf('rdt', container);
  if (rdtClass !== undefined) await checkRdtClass(resctrl, rdtClass);
  return {
    ...(blockIoName === undefined ? {} : { blockIo: await toBlockIo(blockio, blockIoName) }),
    ...(rdtClass === undefined ? {} : { rdtClass }),
  };
}

/** What is said of one container wins over what is said of its whole pod. */
function classOf(
  kind: 'blockio' | 'rdt',
  { name, annotations, podAnnotations }: ClassedContainer,
): string | undefined {
  return (
    annotations[`io.kubernetes.cri.${kind}-class`] ??
    podAnnotations[`${kind}.resources.beta.kubernetes.io/container.${name}`] ??
    podAnnotations[`${kind}.resources.beta.kubernetes.io/pod`]
  );
}

async function checkRdtClass(resctrl: string, name: string): Promise<void> {
  const isName = /^[\w-][\w.-]*$/.test(name); // it becomes the name of a directory
  if (isName && (await isThere(join(resctrl, name, 'schemata')))) return;
  throw new Fault('failed_precondition', `this node has no RDT class "${name}" in "${resctrl}"`);
}

async function toBlockIo(classes: ResourceClassesOptions['blockio'], name: string): Promise<OciBlockIo> {
  const found = Object.hasOwn(classes, name) ? classes[name] : undefined;
  if (found === undefined)
    throw new Fault(
      'failed_precondition',
      `the configuration has no class "${name}" in runtime.blockio_classes`,
    );
  const devices = await Promise.all(found.devices.map(toNumbers));
  const limits = (rate: number) => (rate === 0 ? [] : devices.map((device) => ({ ...device, rate })));
  return {
    ...(found.weight === 0 ? {} : { weight: found.weight }),
    throttleReadBpsDevice: limits(found.read_bytes_per_second),
    throttleWriteBpsDevice: limits(found.write_bytes_per_second),
    throttleReadIOPSDevice: limits(found.read_operations_per_second),
    throttleWriteIOPSDevice: limits(found.write_operations_per_second),
  };
}

async function toNumbers(path: string): Promise<{ major: number; minor: number }> {
  const [device] = await readDevices({ hostPath: path, containerPath: path, permissions: 'r' });
  if (device?.type !== 'b') throw new Fault('failed_precondition', `"${path}" is not a block device`);
  return { major: device.major, minor: device.minor };
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}
