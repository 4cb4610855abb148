// What may stand in a profile that somebody has written for a node: OCI's form, or Docker's, whose rules have
// conditions. Unknown fields are refused: a misspelt condition would allow what was to be forbidden.

import { constants } from 'node:os';
import * as z from 'zod';
import { ACTIONS, OPERATORS } from './profile.ts';

/** Programs written in Go write `null` for an empty list. */
function listOf<Item extends z.ZodType>(item: Item) {
  return z
    .array(item)
    .nullish()
    .transform((items) => items ?? []);
}

const uint32 = z.int().min(0).max(0xffff_ffff);

const uint64 = z
  .union([z.int().min(0), z.bigint().min(0n).max(0xffff_ffff_ffff_ffffn)])
  .nullish()
  .transform((value) => value ?? 0);

const errnoName = z
  .string()
  .refine((name) => name === '' || name in constants.errno, 'must be the name of an error, such as "ENOSYS"')
  .transform((name) => (name in constants.errno ? constants.errno[name as keyof typeof constants.errno] : 0))
  .transform((errno) => (errno === 0 ? undefined : errno));

const architecture = z
  .string()
  .regex(/^SCMP_ARCH_[A-Z0-9_]+$/, 'must be an architecture such as "SCMP_ARCH_X86_64"');

const argument = z.strictObject({
  index: z.int().min(0).max(5),
  value: uint64,
  valueTwo: uint64,
  op: z.enum(OPERATORS),
});

/** Where a rule holds: all that is said must be so. */
const condition = z
  .strictObject({
    /** `CAP_SYS_ADMIN` */
    caps: listOf(z.string()),
    /** `amd64` */
    arches: listOf(z.string()),
    /** `4.8` */
    minKernel: z
      .string()
      .regex(/^(\d+\.\d+)?$/, 'must be a kernel version such as "4.8"')
      .nullish()
      .transform((version) => version ?? ''),
  })
  .nullish()
  .transform((value) => value ?? { caps: [], arches: [], minKernel: '' });

const rule = z
  .strictObject({
    /** The old form: a single one. */
    name: z.string().optional(),
    names: listOf(z.string().min(1)),
    action: z.enum(ACTIONS),
    errnoRet: uint32.nullish(),
    errno: errnoName.optional(),
    args: listOf(argument),
    comment: z.string().optional(),
    includes: condition,
    excludes: condition,
  })
  .refine(
    ({ name = '', names }) => (name === '') !== (names.length === 0),
    'must have either "names" or "name"',
  );

export const profileFile = z
  .strictObject({
    $schema: z.string().optional(),
    comment: z.string().optional(),
    defaultAction: z.enum(ACTIONS),
    defaultErrnoRet: uint32.nullish(),
    defaultErrno: errnoName.optional(),
    architectures: listOf(architecture),
    archMap: listOf(z.strictObject({ architecture, subArchitectures: listOf(architecture) })),
    flags: listOf(z.string().regex(/^SECCOMP_FILTER_FLAG_[A-Z_]+$/, 'must be a flag of a filter')),
    listenerPath: z.string().optional(),
    listenerMetadata: z.string().optional(),
    syscalls: listOf(rule),
  })
  .refine(
    ({ architectures, archMap }) => architectures.length === 0 || archMap.length === 0,
    'must have either "architectures" or "archMap"',
  );

export type ProfileFile = z.output<typeof profileFile>;
export type RuleFile = z.output<typeof rule>;
export type Condition = z.output<typeof condition>;
