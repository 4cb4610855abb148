// Loaded into the daemon before its own code, by tests alone. Every side effect on the node is told before and after
// it happens, and can be the last one. Found are all functions of Node that change files, all functions of the C
// library that were not found harmless, all writes of LevelDB, and the steps of operations: what is added to the
// daemon later is found too.

import { createRequire, syncBuiltinESMExports } from 'node:module';
import { isMainThread } from 'node:worker_threads';
import { channel } from 'node:diagnostics_channel';
import fs from 'node:fs';
import koffi from 'koffi';
import { FAULT_DIR, generalise, planFile, traceFile, type Moment, type Plan } from './plan.ts';

type AnyFunction = (...args: unknown[]) => unknown;
type Holder = Record<string, AnyFunction | undefined>;

const { readFileSync, appendFileSync, existsSync } = fs;
const dir = process.env[FAULT_DIR] ?? '';

let plan: Plan | undefined;
let counts = new Map<string, number>();
let isTelling = false;

function reached(moment: Moment, effect: string): void {
  if (isTelling) return;
  isTelling = true; // what is done here is no side effect of the daemon
  const errno = koffi.errno(); // of the call that is told of
  try {
    const current = readPlan();
    if (current !== undefined) tell(current, moment, generalise(effect, current.dirs));
  } finally {
    koffi.errno(errno);
    isTelling = false;
  }
}

/** Counting begins anew with each plan. */
function readPlan(): Plan | undefined {
  if (!existsSync(planFile(dir))) plan = undefined;
  else if (plan === undefined) {
    plan = JSON.parse(readFileSync(planFile(dir), 'utf8')) as Plan;
    counts = new Map();
  }
  return plan;
}

function tell({ dieAt }: Plan, moment: Moment, effect: string): void {
  if (isOfTheTests(effect)) return;
  const occurrence = (counts.get(moment + effect) ?? 0) + 1;
  counts.set(moment + effect, occurrence);
  appendFileSync(traceFile(dir), `${JSON.stringify({ moment, effect, occurrence })}\n`);
  if (dieAt?.moment !== moment || dieAt.effect !== effect || dieAt.occurrence !== occurrence) return;
  process.kill(process.pid, 'SIGKILL'); // eslint-disable-line no-restricted-properties -- this very process
}

function isOfTheTests(effect: string): boolean {
  return effect.includes('compile-cache') || effect.includes('/dev/null');
}

/** @param describe the effect of a call; `undefined` if it has none */
function announce(holder: Holder, name: string, describe: (args: unknown[]) => string | undefined): void {
  const original = holder[name];
  if (typeof original !== 'function') return;
  holder[name] = announced(original, describe);
}

function announced(original: AnyFunction, describe: (args: unknown[]) => string | undefined): AnyFunction {
  return function (this: unknown, ...args: unknown[]) {
    const effect = describe(args);
    if (effect === undefined) return original.apply(this, args);
    reached('before', effect);
    const result = original.apply(this, args);
    if (result instanceof Promise) {
      return result.finally(() => {
        reached('after', effect);
      });
    }
    reached('after', effect);
    return result;
  };
}

const FILE_FUNCTIONS =
  'appendFile chmod chown copyFile cp fchmod fchown fdatasync fsync ftruncate lchown link mkdir mkdtemp rename rm rmdir symlink truncate unlink write writev writeFile';
const HANDLE_FUNCTIONS = 'appendFile chmod chown datasync sync truncate write writev writeFile';
const STANDARD_STREAMS: unknown[] = [0, 1, 2];

async function announceFiles(): Promise<void> {
  for (const name of FILE_FUNCTIONS.split(' ')) {
    const describe = ([target]: unknown[]): string | undefined =>
      STANDARD_STREAMS.includes(target) ? undefined : `${name} ${nameOf(target)}`;
    announce(fs as unknown as Holder, `${name}Sync`, describe);
    announce(fs as unknown as Holder, name, describe);
    announce(fs.promises as unknown as Holder, name, describe);
  }
  const handle = await fs.promises.open('/dev/null');
  const prototype = Object.getPrototypeOf(handle) as Holder;
  for (const name of HANDLE_FUNCTIONS.split(' ')) announce(prototype, name, () => `${name} open file`);
  await handle.close();
  syncBuiltinESMExports();
}

function nameOf(target: unknown): string {
  if (typeof target === 'string') return target;
  if (target instanceof Uint8Array) return Buffer.from(target).toString();
  return 'open file';
}

/** They change nothing that outlives the daemon. */
const HARMLESS = new Set(
  [
    'accept4 bind connect fgetxattr flock getxattr lgetxattr listen llistxattr pipe2 poll recvmsg send setns',
    'setsockopt socket waitpid grantpt posix_openpt ptsname_r unlockpt',
    'posix_spawn_file_actions_addchdir_np posix_spawn_file_actions_addclose',
    'posix_spawn_file_actions_addclosefrom_np posix_spawn_file_actions_adddup2',
    'posix_spawn_file_actions_addopen posix_spawn_file_actions_destroy posix_spawn_file_actions_init',
    'posix_spawnattr_destroy posix_spawnattr_init posix_spawnattr_setflags posix_spawnattr_setsigdefault',
    'posix_spawnattr_setsigmask',
  ].flatMap((line) => line.split(' ')),
);

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
  if (HARMLESS.has(name)) return declared;
  const describe = (args: unknown[]): string | undefined => {
    if (name === 'syscall' && HARMLESS_NUMBERS.includes(Number(args[0]))) return undefined;
    return [name, ...args.flatMap(toWords)].join(' ');
  };
  return Object.assign(announced(declared, describe), { async: announcedAsync(declared.async, describe) });
}

/** What runs on another thread has happened when its callback is called. */
function announcedAsync(
  original: AnyFunction,
  describe: (args: unknown[]) => string | undefined,
): AnyFunction {
  return (...args) => {
    const effect = describe(args);
    const callback = args.pop() as AnyFunction;
    if (effect !== undefined) reached('before', effect);
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
  announce(ClassicLevel.prototype, '_batch', ([writes]) => {
    const keys = (writes as { type: string; key: unknown }[]).map(
      ({ type, key }) => `${type} ${String(key)}`,
    );
    return `commit ${keys.join(', ')}`;
  });
}

/** Operations tell of their steps by themselves. */
function announceSteps(): void {
  channel('davit.step').subscribe((message) => {
    const { moment, step } = message as { moment: Moment; step: string };
    reached(moment, `step ${step}`);
  });
}

if (dir !== '' && isMainThread) {
  announceLibrary();
  announceDatabase();
  announceSteps();
  await announceFiles();
}
