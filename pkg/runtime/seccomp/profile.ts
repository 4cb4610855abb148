// The types of a seccomp filter as an OCI runtime reads it. Names are those of the OCI runtime specification
// (config-linux.md, "Seccomp"), which says what each field means.

export const ACTIONS = [
  'SCMP_ACT_KILL',
  'SCMP_ACT_KILL_PROCESS',
  'SCMP_ACT_KILL_THREAD',
  'SCMP_ACT_TRAP',
  'SCMP_ACT_ERRNO',
  'SCMP_ACT_TRACE',
  'SCMP_ACT_ALLOW',
  'SCMP_ACT_LOG',
  'SCMP_ACT_NOTIFY',
] as const;

export const OPERATORS = [
  'SCMP_CMP_NE',
  'SCMP_CMP_LT',
  'SCMP_CMP_LE',
  'SCMP_CMP_EQ',
  'SCMP_CMP_GE',
  'SCMP_CMP_GT',
  'SCMP_CMP_MASKED_EQ',
] as const;

export type SeccompAction = (typeof ACTIONS)[number];
export type SeccompOperator = (typeof OPERATORS)[number];

export interface SeccompProfile {
  /** For every call that no rule matches. */
  readonly defaultAction: SeccompAction;
  readonly defaultErrnoRet?: number | undefined;
  /** `SCMP_ARCH_X86_64`; without any, that of the runtime. Calls of another architecture kill the process. */
  readonly architectures?: readonly string[] | undefined;
  readonly flags?: readonly string[] | undefined;
  /** A socket on the node, told of calls with SCMP_ACT_NOTIFY. */
  readonly listenerPath?: string | undefined;
  readonly listenerMetadata?: string | undefined;
  readonly syscalls: readonly SeccompRule[];
}

export interface SeccompRule {
  /** Names that the runtime's libseccomp does not know are passed over. */
  readonly names: readonly string[];
  readonly action: SeccompAction;
  readonly errnoRet?: number | undefined;
  /** The rule matches if all of these hold; without any, always. */
  readonly args?: readonly SeccompArgument[] | undefined;
}

export interface SeccompArgument {
  /** Of the argument, from 0 to 5. */
  readonly index: number;
  /** What it is compared with, 64 bits; for SCMP_CMP_MASKED_EQ the mask. */
  readonly value: number | bigint;
  /** For SCMP_CMP_MASKED_EQ: what the masked argument must be. */
  readonly valueTwo?: number | bigint | undefined;
  readonly op: SeccompOperator;
}
