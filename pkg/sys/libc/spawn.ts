// posix_spawn(3).

import { ErrnoError } from '../errno.ts';
import { cString, libc, type C, type Pointer, type Strings } from './load.ts';

const cActionsInit = libc.func('int posix_spawn_file_actions_init(void *actions)') as C<[Pointer]>;
const cActionsDestroy = libc.func('int posix_spawn_file_actions_destroy(void *actions)') as C<[Pointer]>;
const cActionsDup2 = libc.func('int posix_spawn_file_actions_adddup2(void *actions, int fd, int to)') as C<
  [Pointer, number, number]
>;
const cActionsOpen = libc.func(
  'int posix_spawn_file_actions_addopen(void *actions, int fd, const void *path, int flags, uint mode)',
) as C<[Pointer, number, Pointer, number, number]>;
const cActionsClose = libc.func('int posix_spawn_file_actions_addclose(void *actions, int fd)') as C<
  [Pointer, number]
>;
const cActionsCloseFrom = libc.func(
  'int posix_spawn_file_actions_addclosefrom_np(void *actions, int from)',
) as C<[Pointer, number]>;
const cActionsChdir = libc.func(
  'int posix_spawn_file_actions_addchdir_np(void *actions, const void *path)',
) as C<[Pointer, Pointer]>;
const cAttrInit = libc.func('int posix_spawnattr_init(void *attr)') as C<[Pointer]>;
const cAttrDestroy = libc.func('int posix_spawnattr_destroy(void *attr)') as C<[Pointer]>;
const cAttrFlags = libc.func('int posix_spawnattr_setflags(void *attr, short flags)') as C<[Pointer, number]>;
const cAttrDefault = libc.func('int posix_spawnattr_setsigdefault(void *attr, const void *set)') as C<
  [Pointer, Pointer]
>;
const cAttrMask = libc.func('int posix_spawnattr_setsigmask(void *attr, const void *set)') as C<
  [Pointer, Pointer]
>;
const cSpawn = libc.func(
  'int posix_spawn(void *pid, void *path, void *actions, void *attr, const char **argv, const char **envp)',
) as C<[Pointer, Pointer, Pointer, Pointer, Strings, Strings]>;

/** What the child does with its descriptors and its working directory before it becomes the program. */
export type FileAction =
  | { readonly kind: 'dup2'; readonly fd: number; readonly to: number }
  | { readonly kind: 'open'; readonly fd: number; readonly path: string; readonly flags: number }
  | { readonly kind: 'close'; readonly fd: number }
  | { readonly kind: 'closeFrom'; readonly fd: number }
  | { readonly kind: 'chdir'; readonly path: string };

export interface PosixSpawnArguments {
  readonly file: string;
  /** From argv[0] on. */
  readonly argv: readonly string[];
  /** `NAME=value` */
  readonly envp: readonly string[];
  /** Done in this order. */
  readonly actions: readonly FileAction[];
  readonly newSession: boolean;
}

/** More than sizeof(posix_spawnattr_t), 336, and sizeof(posix_spawn_file_actions_t), 80. */
const SPAWN_STRUCT_BYTES = 512;
const POSIX_SPAWN_SETSIGDEF = 4;
const POSIX_SPAWN_SETSIGMASK = 8;
const POSIX_SPAWN_SETSID = 128;
const ALL_SIGNALS = Buffer.alloc(128, 0xff); // sigset_t
const NO_SIGNALS = Buffer.alloc(128);

/**
 * Starts a program with default signal handlers and no signal blocked.
 * @returns its pid
 * @throws {ErrnoError} as execve(2) and open(2) fail. Source: posix_spawn(3).
 */
export function posixSpawn({ file, argv, envp, actions, newSession }: PosixSpawnArguments): number {
  const [cActions, cAttr] = [Buffer.alloc(SPAWN_STRUCT_BYTES), Buffer.alloc(SPAWN_STRUCT_BYTES)];
  const pid = Buffer.alloc(4);
  checkSpawn(cActionsInit(cActions), file);
  checkSpawn(cAttrInit(cAttr), file);
  try {
    for (const action of actions) checkSpawn(addAction(cActions, action), file);
    const session = newSession ? POSIX_SPAWN_SETSID : 0;
    checkSpawn(cAttrFlags(cAttr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | session), file);
    checkSpawn(cAttrDefault(cAttr, ALL_SIGNALS), file);
    checkSpawn(cAttrMask(cAttr, NO_SIGNALS), file);
    const cFile = cString(file, 'posix_spawn');
    checkSpawn(cSpawn(pid, cFile, cActions, cAttr, [...argv, null], [...envp, null]), file);
  } finally {
    cActionsDestroy(cActions);
    cAttrDestroy(cAttr);
  }
  return pid.readInt32LE(0);
}

function addAction(cActions: Buffer, action: FileAction): number | bigint {
  switch (action.kind) {
    case 'dup2':
      return cActionsDup2(cActions, action.fd, action.to);
    case 'open':
      return cActionsOpen(cActions, action.fd, cString(action.path, 'open'), action.flags, 0);
    case 'close':
      return cActionsClose(cActions, action.fd);
    case 'closeFrom':
      return cActionsCloseFrom(cActions, action.fd);
    case 'chdir':
      return cActionsChdir(cActions, cString(action.path, 'chdir'));
  }
}

/** These functions return the error number. */
function checkSpawn(errno: number | bigint, file: string): void {
  if (errno !== 0) throw new ErrnoError(Number(errno), 'posix_spawn', file);
}
