// Turns the text of a profile into the filter of one container.

import { Fault } from '../../base/fault.ts';
import { decode } from '../../codec/decode.ts';
import { getArchitecture } from './architecture.ts';
import type { SeccompProfile, SeccompRule } from './profile.ts';
import { profileFile, type Condition, type ProfileFile, type RuleFile } from './profile-file.ts';

/** What the conditions of a profile in Docker's form ask about. */
export interface Circumstances {
  /** The container's bounding set. */
  readonly capabilities: readonly string[];
  /** As `process.arch` has it. */
  readonly architecture: string;
  /** `6.1.0-38-amd64`, as `os.release()` has it. */
  readonly kernel: string;
}

/**
 * @param what names the profile in errors: `seccomp profile "/a/b.json"`
 * @throws {Fault} invalid_argument — it is no JSON, or something in it is no profile;
 *   unimplemented — a processor that nobody has tried
 */
export function parseProfile(text: string, what: string, circumstances: Circumstances): SeccompProfile {
  const file = decode(profileFile, parseJson(text, what), what);
  const { defaultAction, flags, listenerPath, listenerMetadata } = file;
  const architectures = toArchitectures(file, circumstances);
  return {
    defaultAction,
    ...optional('defaultErrnoRet', file.defaultErrno ?? file.defaultErrnoRet),
    ...(architectures.length === 0 ? {} : { architectures }),
    ...(flags.length === 0 ? {} : { flags }),
    ...optional('listenerPath', listenerPath),
    ...optional('listenerMetadata', listenerMetadata),
    syscalls: file.syscalls.filter((rule) => applies(rule, circumstances)).map(toRule),
  };
}

/** Numbers that JavaScript cannot hold become bigints: a mask has 64 bits. */
function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text, exactly);
  } catch (cause) {
    throw new Fault('invalid_argument', `${what} is not JSON`, { cause });
  }
}

function exactly(_: string, value: unknown, context?: { source?: string }): unknown {
  const isExact = typeof value !== 'number' || Number.isSafeInteger(value);
  const source = context?.source ?? '';
  return !isExact && /^-?\d+$/.test(source) ? BigInt(source) : value;
}

function optional<Key extends string, Value>(
  key: Key,
  value: Value | null | undefined,
): Partial<Record<Key, Value>> {
  return value === undefined || value === null ? {} : ({ [key]: value } as Record<Key, Value>);
}

function toArchitectures({ architectures, archMap }: ProfileFile, { architecture }: Circumstances): string[] {
  if (archMap.length === 0) return architectures;
  const [ours] = getArchitecture(architecture).oci;
  const match = archMap.find((each) => each.architecture === ours);
  return match === undefined ? [] : [match.architecture, ...match.subArchitectures];
}

function toRule({ name, names, action, errno, errnoRet, args }: RuleFile): SeccompRule {
  return {
    names: name === undefined || name === '' ? names : [name],
    action,
    ...optional('errnoRet', errno ?? errnoRet),
    ...(args.length === 0 ? {} : { args }),
  };
}

function applies({ includes, excludes }: RuleFile, circumstances: Circumstances): boolean {
  return isMet(includes, circumstances) && !isAnyMet(excludes, circumstances);
}

function isMet({ caps, arches, minKernel }: Condition, { capabilities, ...node }: Circumstances): boolean {
  return (
    caps.every((name) => capabilities.includes(name)) &&
    (arches.length === 0 || arches.includes(nativeName(node))) &&
    (minKernel === '' || isAtLeast(node.kernel, minKernel))
  );
}

function isAnyMet({ caps, arches, minKernel }: Condition, { capabilities, ...node }: Circumstances): boolean {
  return (
    caps.some((name) => capabilities.includes(name)) ||
    (arches.length > 0 && arches.includes(nativeName(node))) ||
    (minKernel !== '' && isAtLeast(node.kernel, minKernel))
  );
}

function nativeName({ architecture }: Pick<Circumstances, 'architecture'>): string {
  return getArchitecture(architecture).native;
}

/** By the first two numbers: `6.1.0-38-amd64` is at least `4.8`. */
function isAtLeast(kernel: string, minimum: string): boolean {
  const [major = 0, minor = 0] = kernel.split(/[^\d]/).map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = minimum.split('.').map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}
