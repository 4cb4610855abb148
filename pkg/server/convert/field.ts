// Checks single fields of a request. Every refusal names the field as the CRI spells it, and the value.

import { Fault } from '../../base/fault.ts';

/** @throws {Fault} invalid_argument — the field is absent or '' */
export function required<T>(value: T | undefined, field: string): T {
  if (value !== undefined && value !== '') return value;
  throw new Fault('invalid_argument', `${field} is missing`, { detail: { field } });
}

export function refuse(field: string, value: string | number | bigint, why: string): Fault {
  return new Fault('invalid_argument', `${field} "${value}" ${why}`, { detail: { field } });
}

/** No honest pod has as many, and what is made of each would cost more memory than there is. */
const MAX_ITEMS = 10_000;

/** @throws {Fault} invalid_argument — a list is longer than any honest one */
export function checkLengths(lists: Readonly<Record<string, readonly unknown[]>>): void {
  for (const [field, { length }] of Object.entries(lists))
    if (length > MAX_ITEMS) throw refuse(field, length, `are more than ${MAX_ITEMS}`);
}

/** Ids of the kernel: 32 bits, the last of which means "none". Source: credentials(7). */
const MAX_ID = 2n ** 32n - 2n;

/** A user or group id. */
export function toId(value: bigint, field: string): number {
  if (value >= 0n && value <= MAX_ID) return Number(value);
  throw refuse(field, value, `is not an id from 0 to ${MAX_ID}`);
}

export function toAbsolutePath(pathLike: string, field: string): string {
  if (!pathLike.startsWith('/')) throw refuse(field, pathLike, 'is not an absolute path');
  if (pathLike.includes('\0')) throw refuse(field, pathLike, 'contains a zero byte');
  return pathLike;
}
