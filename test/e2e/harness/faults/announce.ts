// What every hook in the daemon does: tells of a side effect before and after it happens, and at the one that the
// plan names ends the daemon, or makes the effect fail as the system would.

import fs from 'node:fs';
import { constants } from 'node:os';
import koffi from 'koffi';
import { FAULT_DIR, generalise, planFile, traceFile, type Errno, type Moment, type Plan } from './plan.ts';

export type AnyFunction = (...args: unknown[]) => unknown;
export type Holder = Record<string, AnyFunction | undefined>;

/** What a call does to the node; `undefined` if nothing that is to be told. */
export type Describe = (args: unknown[]) => Effect | undefined;

export interface Effect {
  readonly name: string;
  /** It changes nothing that outlives the daemon, but it can fail. */
  readonly isHarmless?: boolean;
}

/** How a function tells its caller that it failed: what is done in place of the call. */
export type Fail = (errno: Errno, args: unknown[]) => unknown;

const { readFileSync, appendFileSync, existsSync } = fs; // before they are hooked themselves
export const dir = process.env[FAULT_DIR] ?? '';

let plan: Plan | undefined;
let counts = new Map<string, number>();
let isTelling = false;

/** @returns how the effect is to fail, if it is */
export function reached(moment: Moment, { name, isHarmless = false }: Effect): Errno | undefined {
  if (isTelling) return undefined;
  isTelling = true; // what is done here is no side effect of the daemon
  const errno = koffi.errno(); // of the call that is told of
  try {
    const current = readPlan();
    if (current === undefined || (isHarmless && !current.isForFailures)) return undefined;
    return tell(current, moment, generalise(name, current.dirs));
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

function tell({ faultAt }: Plan, moment: Moment, effect: string): Errno | undefined {
  if (isOfTheTests(effect)) return undefined;
  const occurrence = (counts.get(moment + effect) ?? 0) + 1;
  counts.set(moment + effect, occurrence);
  appendFileSync(traceFile(dir), `${JSON.stringify({ moment, effect, occurrence })}\n`);
  if (faultAt?.moment !== moment || faultAt.effect !== effect) return undefined;
  const isMeant = occurrence >= faultAt.occurrence && occurrence < faultAt.occurrence + (faultAt.times ?? 1);
  if (!isMeant) return undefined;
  if (faultAt.errno === undefined) process.kill(process.pid, 'SIGKILL'); // eslint-disable-line no-restricted-properties -- this very process
  appendFileSync(traceFile(dir), `${JSON.stringify({ moment: 'failed', effect, occurrence })}\n`);
  return faultAt.errno;
}

function isOfTheTests(effect: string): boolean {
  return effect.includes('compile-cache') || effect.includes('/dev/null');
}

export function announce(holder: Holder, name: string, describe: Describe, fail: Fail): void {
  const original = holder[name];
  if (typeof original === 'function') holder[name] = announced(original, describe, fail);
}

export function announced(original: AnyFunction, describe: Describe, fail: Fail): AnyFunction {
  return function (this: unknown, ...args: unknown[]) {
    const effect = describe(args);
    if (effect === undefined) return original.apply(this, args);
    const errno = reached('before', effect);
    if (errno !== undefined) return fail(errno, args);
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

/** As Node's own: `EIO: i/o error, mkdir '/x'`. */
export function nodeError(code: Errno, syscall: string, target: unknown): Error {
  const path = target instanceof Uint8Array ? Buffer.from(target).toString() : target;
  const where = typeof path === 'string' ? ` '${path}'` : '';
  const error = new Error(`${code}: made by a test, ${syscall}${where}`);
  return Object.assign(error, {
    code,
    errno: -constants.errno[code],
    syscall,
    ...(where !== '' && { path }),
  });
}
