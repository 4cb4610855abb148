// Device nodes: which a container has, and which its processes may open.

import type { OciDevice, OciDeviceRule } from './oci-spec.ts';

export interface DeviceInput extends OciDevice {
  /** What processes of the container may do with it: some of `rwm`. */
  readonly permissions: string;
}

/** `[type, major, minor]`; without numbers any. Source: devices.txt of the kernel. */
const USABLE_BY_ALL: readonly (readonly ['c', number, number?])[] = [
  ['c', 1, 3], // null
  ['c', 1, 5], // zero
  ['c', 1, 7], // full
  ['c', 1, 8], // random
  ['c', 1, 9], // urandom
  ['c', 5, 0], // tty
  ['c', 5, 1], // console
  ['c', 5, 2], // ptmx
  ['c', 136], // pts/*
];

const DENY_ALL: OciDeviceRule = { allow: false, access: 'rwm' };
const ALLOW_ALL: OciDeviceRule = { allow: true, access: 'rwm' };

/** Nothing, but making any node (without opening it), what every program needs, and `devices`. */
export function toDeviceRules(devices: readonly DeviceInput[]): OciDeviceRule[] {
  return [
    DENY_ALL,
    { allow: true, type: 'c', access: 'm' },
    { allow: true, type: 'b', access: 'm' },
    ...USABLE_BY_ALL.map(([type, major, minor]): OciDeviceRule => ({
      allow: true,
      type,
      major,
      ...(minor === undefined ? {} : { minor }),
      access: 'rwm',
    })),
    ...devices.flatMap(toRule),
  ];
}

/** For privileged containers: everything. */
export function allDeviceRules(): OciDeviceRule[] {
  return [ALLOW_ALL];
}

export function toOciDevice({ permissions: _, ...device }: DeviceInput): OciDevice {
  return device;
}

/** A pipe is no device for the kernel: nobody is kept from it. */
function toRule({ type, major, minor, permissions }: DeviceInput): OciDeviceRule[] {
  return type === 'p' ? [] : [{ allow: true, type, major, minor, access: permissions }];
}
