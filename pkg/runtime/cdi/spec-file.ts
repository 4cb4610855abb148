// One CDI specification: devices of a vendor, and what a container needs in order to use them.

import * as z from 'zod';
import { decode } from '../../codec/decode.ts';
import { Fault } from '../../base/fault.ts';
import { HOOK_STAGES } from '../oci-hooks.ts';
import { KIND, NAME } from './device-name.ts';

const said = z.string().min(1, 'must not be empty');
const variables = z.array(z.string().regex(/^[^=\0]+=[^\0]*$/, 'must be NAME=value'));
const id = z.int().min(0).max(0xffff_fffe);
const annotations = z.record(z.string(), z.string()).optional();

const deviceNode = z.strictObject({
  path: said,
  hostPath: z.string().optional(),
  type: z.enum(['', 'b', 'c', 'u', 'p']).optional(),
  major: z.int().min(0).optional(),
  minor: z.int().min(0).optional(),
  fileMode: z.int().min(0).max(0o7777).optional(),
  permissions: z
    .string()
    .regex(/^([rwm]*|none)$/, 'must be some of r, w and m, or none')
    .optional(),
  uid: id.optional(),
  gid: id.optional(),
});

const mount = z.strictObject({
  hostPath: said,
  containerPath: said,
  options: z.array(z.string()).optional(),
  type: z.string().optional(),
});

const hook = z.strictObject({
  hookName: z.enum(HOOK_STAGES),
  path: said,
  args: z.array(z.string()).optional(),
  env: variables.optional(),
  timeout: z.int().optional(),
});

const intelRdt = z.strictObject({
  closID: z
    .string()
    .max(4095)
    .refine((text) => text === '/' || !/^\.{1,2}$|[/\n]/.test(text), 'must be a file name, or "/"')
    .optional(),
  l3CacheSchema: z.string().optional(),
  memBwSchema: z.string().optional(),
  schemata: z.array(z.string()).optional(),
  enableMonitoring: z.boolean().optional(),
});

const editsSchema = z.strictObject({
  env: variables.optional(),
  deviceNodes: z.array(deviceNode).optional(),
  netDevices: z.array(z.strictObject({ hostInterfaceName: said, name: said })).optional(),
  hooks: z.array(hook).optional(),
  mounts: z.array(mount).optional(),
  intelRdt: intelRdt.optional(),
  additionalGids: z.array(id).optional(),
});

const specSchema = z.strictObject({
  cdiVersion: z.string(),
  kind: z.string().regex(KIND, 'must be "vendor.com/class"'),
  annotations,
  devices: z
    .array(
      z.strictObject({
        name: z.string().regex(NAME, 'must be letters, digits, and _-.: between them'),
        annotations,
        containerEdits: editsSchema,
      }),
    )
    .min(1, 'must not be empty'),
  containerEdits: editsSchema.optional(),
});

/** Changes of a container's configuration. Source: SPEC.md of the CDI, "Container Edits". */
export type ContainerEdits = z.output<typeof editsSchema>;
export type CdiSpec = z.output<typeof specSchema>;
export type DeviceNode = z.output<typeof deviceNode>;

/** @throws {Fault} invalid_argument — with every mistake */
export function parseCdiSpec(input: unknown, what: string): CdiSpec {
  const spec = decode(specSchema, input, what);
  const names = spec.devices.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Fault('invalid_argument', `device "${twice}" stands in it twice`);
  checkVersion(spec);
  return spec;
}

/** All there have been; those before 0.3.0 are read as that. */
const VERSIONS = ['0.1.0', '0.2.0', '0.3.0', '0.4.0', '0.5.0', '0.6.0', '0.7.0', '0.8.0', '1.0.0', '1.1.0'];

/** A file that uses what is younger than its version was written by mistake: others refuse it as well. */
function checkVersion(spec: CdiSpec): void {
  const version = spec.cdiVersion.replace(/^v/, '');
  const at = VERSIONS.indexOf(version);
  if (at < 0)
    throw new Fault('invalid_argument', `cdiVersion "${spec.cdiVersion}" is none of ${VERSIONS.join(', ')}`);
  const needed = neededVersion(spec);
  if (VERSIONS.indexOf(needed) > Math.max(at, VERSIONS.indexOf('0.3.0')))
    throw new Fault('invalid_argument', `cdiVersion "${spec.cdiVersion}" must be at least "${needed}"`);
}

/** Source: SPEC.md of the CDI, "Version policy". */
function neededVersion(spec: CdiSpec): string {
  const edits = [spec.containerEdits ?? {}, ...spec.devices.map(({ containerEdits }) => containerEdits)];
  return YOUNGER.find(({ isUsed }) => edits.some((edit) => isUsed(edit, spec)))?.since ?? '0.3.0';
}

/** The youngest first. */
const YOUNGER: readonly {
  readonly since: string;
  readonly isUsed: (edits: ContainerEdits, spec: CdiSpec) => boolean;
}[] = [
  { since: '1.1.0', isUsed: ({ netDevices = [] }) => netDevices.length > 0 },
  {
    since: '1.1.0',
    isUsed: ({ intelRdt }) => intelRdt?.schemata !== undefined || intelRdt?.enableMonitoring === true,
  },
  {
    since: '0.7.0',
    isUsed: ({ intelRdt, additionalGids = [] }) => intelRdt !== undefined || additionalGids.length > 0,
  },
  {
    since: '0.6.0',
    isUsed: (_, spec) => [spec, ...spec.devices].some((one) => Object.keys(one.annotations ?? {}).length > 0),
  },
  { since: '0.6.0', isUsed: (_, { kind }) => kind.split('/')[1]?.includes('.') === true },
  { since: '0.5.0', isUsed: (_, { devices }) => devices.some(({ name }) => /^\d/.test(name)) },
  {
    since: '0.5.0',
    isUsed: ({ deviceNodes = [] }) => deviceNodes.some(({ hostPath = '' }) => hostPath !== ''),
  },
  { since: '0.4.0', isUsed: ({ mounts = [] }) => mounts.some(({ type = '' }) => type !== '') },
];
