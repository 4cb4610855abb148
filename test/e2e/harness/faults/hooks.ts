// Loaded into the daemon before its own code, by tests alone. Every side effect on the node is told before and after
// it happens, and can be the last one, or fail. Found are all functions of Node that change files, all functions of
// the C library that were not found harmless, all writes of LevelDB, and the steps of operations: what is added to
// the daemon later is found too. What is harmless is told of only where things are to fail.

import { createRequire, syncBuiltinESMExports } from 'node:module';
import { isMainThread } from 'node:worker_threads';
import { channel } from 'node:diagnostics_channel';
import { constants } from 'node:os';
import fs from 'node:fs';
import koffi from 'koffi';
import {
  announce,
  announced,
  dir,
  nodeError,
  reached,
  type AnyFunction,
  type Describe,
  type Fail,
  type Holder,
} from './announce.ts';
import type { Moment } from './plan.ts';

const FILE_FUNCTIONS =
  'appendFile chmod chown copyFile cp fchmod fchown fdatasync fsync ftruncate lchown link mkdir mkdtemp rename rm rmdir symlink truncate unlink write writev writeFile';
const HANDLE_FUNCTIONS = 'appendFile chmod chown datasync sync truncate write writev writeFile';
const READING_FUNCTIONS = 'access lstat open opendir read readFile readdir readlink stat statfs';
const READING_HANDLE_FUNCTIONS = 'read readFile stat';
const STANDARD_STREAMS: unknown[] = [0, 1, 2];

async function announceFiles(): Promise<void> {
  const handle = await fs.promises.open('/dev/null');
  const prototype = Object.getPrototypeOf(handle) as Holder;
  for (const name of FILE_FUNCTIONS.split(' ')) announceFile(name, { isHarmless: false });
  for (const name of READING_FUNCTIONS.split(' ')) announceFile(name, { isHarmless: true });
  const announceHandle = (name: string, isHarmless: boolean): void => {
    announce(
      prototype,
      name,
      () => ({ name: `${name} open file`, isHarmless }),
      (errno) => Promise.reject(nodeError(errno, name, undefined)),
    );
  };
  for (const name of HANDLE_FUNCTIONS.split(' ')) announceHandle(name, false);
  for (const name of READING_HANDLE_FUNCTIONS.split(' ')) announceHandle(name, true);
  await handle.close();
  syncBuiltinESMExports();
}

/** In its three forms: one returns, one calls back, one promises. */
function announceFile(name: string, { isHarmless }: { readonly isHarmless: boolean }): void {
  const describe: Describe = ([target]) =>
    STANDARD_STREAMS.includes(target) ? undefined : { name: `${name} ${nameOf(target)}`, isHarmless };
  announce(fs as unknown as Holder, `${name}Sync`, describe, (errno, [path]) => {
    throw nodeError(errno, name, path);
  });
  announce(fs as unknown as Holder, name, describe, (errno, args) => {
    const callback = args.findLast((arg) => typeof arg === 'function') as AnyFunction;
    process.nextTick(callback, nodeError(errno, name, args[0]));
  });
  announce(fs.promises as unknown as Holder, name, describe, (errno, [path]) =>
    Promise.reject(nodeError(errno, name, path)),
  );
}

function nameOf(target: unknown): string {
  if (typeof target === 'string') return target;
  if (target instanceof Uint8Array) return Buffer.from(target).toString();
  return 'open file';
}

/** They change nothing that outlives the daemon. */
const HARMLESS = wordsOf(
  'accept4 bind connect fgetxattr flock getxattr lgetxattr listen llistxattr pipe2 recvmsg send setns setsockopt',
  'socket grantpt posix_openpt ptsname_r unlockpt posix_spawn_file_actions_addchdir_np',
  'posix_spawn_file_actions_addclose posix_spawn_file_actions_addclosefrom_np',
  'posix_spawn_file_actions_adddup2 posix_spawn_file_actions_addopen posix_spawn_file_actions_init',
  'posix_spawnattr_init posix_spawnattr_setflags posix_spawnattr_setsigdefault posix_spawnattr_setsigmask',
);

/** Nor can they fail. */
const INFALLIBLE = wordsOf('poll waitpid posix_spawn_file_actions_destroy posix_spawnattr_destroy');

function wordsOf(...lines: string[]): ReadonlySet<string> {
  return new Set(lines.flatMap((line) => line.split(' ')));
}

/** By number, of those that have no function of their own in every C library. Source: asm/unistd.h. */
const HARMLESS_NUMBERS: unknown[] = [434, 437]; // pidfd_open, openat2

function announceLibrary(): void {
  const holder = koffi as unknown as { load: (name: string) => { func: AnyFunction } };
  const load = holder.load.bind(holder);
  holder.load = (library) => {
    const loaded = load(library);
    return new Proxy(loaded, {
      get(target, property) {
        const value = Reflect.get(target, property) as unknown;
        if (typeof value !== 'function') return value;
        if (property !== 'func') return value.bind(target) as unknown;
        return (...declaration: unknown[]) => declare(loaded, declaration);
      },
    });
  };
}

function declare(loaded: { func: AnyFunction }, declaration: unknown[]): unknown {
  const declared = loaded.func(...declaration) as AnyFunction & { async: AnyFunction };
  const name = /(\w+)\s*(\(|$)/.exec(String(declaration[0]))?.[1] ?? '';
  if (INFALLIBLE.has(name)) return declared;
  const describe: Describe = (args) => {
    const numbers = name === 'syscall' ? [String(args[0])] : [];
    const isHarmless =
      HARMLESS.has(name) || (name === 'syscall' && HARMLESS_NUMBERS.includes(Number(args[0])));
    return { name: [name, ...numbers, ...args.flatMap(toWords)].join(' '), isHarmless };
  };
  const fail: Fail = (errno) => {
    const number = constants.errno[errno];
    if (name.startsWith('posix_spawn')) return number; // Source: posix_spawn(3), "return value"
    koffi.errno(number);
    return -1;
  };
  return Object.assign(announced(declared, describe, fail), {
    async: announcedAsync(declared.async, describe),
  });
}

/** What runs on another thread has happened when its callback is called. */
function announcedAsync(original: AnyFunction, describe: Describe): AnyFunction {
  return (...args) => {
    const effect = describe(args);
    const callback = args.pop() as AnyFunction;
    if (effect !== undefined && reached('before', effect) !== undefined) {
      process.nextTick(callback, null, -1);
      return undefined;
    }
    return original(...args, (...results: unknown[]) => {
      if (effect !== undefined) reached('after', effect);
      return callback(...results);
    });
  };
}

/** Of the arguments in C only short texts tell something: paths, names of programs. */
function toWords(argument: unknown): string[] {
  if (!(argument instanceof Uint8Array)) return [];
  const text = Buffer.from(argument).toString('latin1').replace(/\0$/, '');
  return /^[\x20-\x7e]{1,200}$/.test(text) ? [text] : [];
}

function announceDatabase(): void {
  const { ClassicLevel } = createRequire(import.meta.url)('classic-level') as {
    ClassicLevel: { prototype: Holder };
  };
  const describe: Describe = ([writes]) => {
    const keys = (writes as { type: string; key: unknown }[]).map(
      ({ type, key }) => `${type} ${String(key)}`,
    );
    return { name: `commit ${keys.join(', ')}` };
  };
  announce(ClassicLevel.prototype, '_batch', describe, (errno) => {
    const text = errno === 'ENOSPC' ? 'No space left on device' : errno;
    const error = new Error(`IO error: 000003.log: ${text}`);
    return Promise.reject(Object.assign(error, { code: 'LEVEL_IO_ERROR' }));
  });
}

/** Operations tell of their steps by themselves. What they do fails; a step by itself does not. */
function announceSteps(): void {
  channel('davit.step').subscribe((message) => {
    const { moment, step } = message as { moment: Moment; step: string };
    reached(moment, { name: `step ${step}` });
  });
}

if (dir !== '' && isMainThread) {
  announceLibrary();
  announceDatabase();
  announceSteps();
  await announceFiles();
}
