// The names of signals as images and pods write them.

import { constants } from 'node:os';
import { Fault } from '../base/fault.ts';

/** Those that the C library leaves to programs. Source: signal(7), "Real-time signals". */
const SIGRTMIN = 34;
const SIGRTMAX = 64;

/**
 * @param name `SIGTERM`, `TERM`, `15`, `SIGRTMIN+3`, `SIGRTMAX-14`
 * @throws {Fault} invalid_argument — there is no such signal
 */
export function signalNumber(name: string): number {
  const number = /^\d+$/.test(name) ? Number(name) : numberOf(name.toUpperCase().replace(/^SIG/, ''));
  if (number !== undefined && number >= 1 && number <= SIGRTMAX) return number;
  throw new Fault('invalid_argument', `"${name}" is not a signal`);
}

function numberOf(name: string): number | undefined {
  const [, base, sign, offset] = /^(RTMIN|RTMAX)(?:([+-])(\d+))?$/.exec(name) ?? [];
  if (base === undefined) {
    const signals: Readonly<Record<string, number>> = constants.signals;
    return signals[`SIG${name}`];
  }
  const distance = Number(offset ?? 0) * (sign === '-' ? -1 : 1);
  const number = (base === 'RTMIN' ? SIGRTMIN : SIGRTMAX) + distance;
  return number >= SIGRTMIN && number <= SIGRTMAX ? number : undefined;
}

/** @returns `SIGSEGV`, or `undefined` if no signal that ends programs has this number */
export function signalName(number: number): NodeJS.Signals | undefined {
  const found = Object.entries(constants.signals).find(([, value]) => value === number);
  return found?.[0] as NodeJS.Signals | undefined; // the keys are such names
}
