// The shapes in which the kernel writes numbers. What is not there counts 0.

import type { Pressure, PressureLine } from './usage.ts';

/**
 * One number of a text with lines `name number`.
 *
 * @param text as of memory.stat, cpu.stat, memory.events; absent: 0
 */
export function counterOf(text: string | undefined, name: string): bigint {
  if (text === undefined) return 0n;
  const at = text.startsWith(`${name} `) ? 0 : text.indexOf(`\n${name} `) + 1;
  if (at === 0 && !text.startsWith(`${name} `)) return 0n;
  const start = at + name.length + 1;
  const end = text.indexOf('\n', start);
  return toCount(text.slice(start, end === -1 ? undefined : end));
}

/** A text that is one number. */
export function toCount(text: string | undefined): bigint {
  const trimmed = text?.trim() ?? '';
  return /^\d+$/.test(trimmed) ? BigInt(trimmed) : 0n;
}

/** Version 1 writes the greatest number of pages where there is no limit. */
const UNLIMITED = 1n << 62n;

/** @returns `undefined` for no limit: `max`, -1, or a number that stands for it */
export function toLimit(text: string | undefined): bigint | undefined {
  const trimmed = text?.trim() ?? '';
  if (!/^\d+$/.test(trimmed)) return undefined;
  const limit = BigInt(trimmed);
  return limit >= UNLIMITED ? undefined : limit;
}

/**
 * Two lines: `some avg10=0.12 avg60=0.05 avg300=0.01 total=123456`, and the same of `full`, which old kernels do
 * not write for processors.
 */
export function parsePressure(text: string | undefined): Pressure | undefined {
  const some = parseLine(text, 'some');
  if (some === undefined) return undefined;
  return { some, full: parseLine(text, 'full') ?? { totalUs: 0n, avg10: 0, avg60: 0, avg300: 0 } };
}

const PRESSURE_LINE = /avg10=([\d.]+) avg60=([\d.]+) avg300=([\d.]+) total=(\d+)/;

function parseLine(text: string | undefined, kind: string): PressureLine | undefined {
  const line = text?.split('\n').find((each) => each.startsWith(`${kind} `));
  const [, avg10, avg60, avg300, total] = PRESSURE_LINE.exec(line ?? '') ?? [];
  if (total === undefined) return undefined;
  return { totalUs: BigInt(total), avg10: Number(avg10), avg60: Number(avg60), avg300: Number(avg300) };
}
