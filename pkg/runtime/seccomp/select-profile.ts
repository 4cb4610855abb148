// Finds the filter that a container asks for.

import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { release } from 'node:os';
import { posix } from 'node:path';
import type { Call } from '../../base/call.ts';
import { Fault } from '../../base/fault.ts';
import type { ProfileChoice } from '../security-profile.ts';
import { parseProfile } from './custom-profile.ts';
import { defaultProfile } from './default-profile.ts';
import type { SeccompProfile } from './profile.ts';

export interface SeccompOptions {
  /** What containers get that do not say. */
  readonly unset: 'unconfined' | 'runtime_default';
  /** Where profiles are that are named by a relative path. */
  readonly directory: string;
}

export interface SeccompRequest {
  readonly choice: ProfileChoice;
  /** The container's bounding set. */
  readonly capabilities: readonly string[];
}

/**
 * @returns `undefined` for no filter
 * @throws {Fault} invalid_argument — the path climbs, or the file holds no profile;
 *   failed_precondition — there is no such file, or it cannot be read;
 *   unimplemented — a processor that nobody has tried
 */
export async function selectProfile(
  { unset, directory }: SeccompOptions,
  call: Call,
  { choice, capabilities }: SeccompRequest,
): Promise<SeccompProfile | undefined> {
  const kind = choice.kind === 'unset' ? unset : choice.kind;
  if (choice.kind === 'localhost') {
    const path = toPath(directory, choice.reference);
    const text = await readProfile(call, path);
    const circumstances = { capabilities, architecture: process.arch, kernel: release() };
    return parseProfile(text, `seccomp profile "${path}"`, circumstances);
  }
  return kind === 'runtime_default' ? defaultProfile(capabilities) : undefined;
}

/** A kubelet sends absolute paths: it has its own idea of the directory. */
function toPath(directory: string, reference: string): string {
  if (reference === '' || reference.includes('\0') || reference.split('/').includes('..')) {
    throw new Fault(
      'invalid_argument',
      `cannot use seccomp profile ${JSON.stringify(reference)}: it is not a plain path`,
    );
  }
  return posix.resolve(directory, reference);
}

/** Docker's default has 15 kB; the file is read on the main thread. */
const MAX_PROFILE_BYTES = 256 * 1024;

async function readProfile(call: Call, path: string): Promise<string> {
  call.signal.throwIfAborted();
  await using file = await openProfile(path);
  if (!(await file.stat()).isFile()) {
    throw new Fault('failed_precondition', `cannot read seccomp profile "${path}": it is not a file`);
  }
  const bytes = Buffer.alloc(MAX_PROFILE_BYTES + 1);
  let size = 0;
  for (;;) {
    const { bytesRead } = await file.read(bytes, size);
    size += bytesRead;
    if (size > MAX_PROFILE_BYTES) {
      throw new Fault(
        'invalid_argument',
        `cannot use seccomp profile "${path}": it has more than ${MAX_PROFILE_BYTES} bytes`,
      );
    }
    if (bytesRead === 0) return bytes.toString('utf8', 0, size);
  }
}

/** Never waits: a named pipe would have no writer. */
async function openProfile(path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    throw new Fault('failed_precondition', `cannot read seccomp profile "${path}"`, { cause });
  }
}
