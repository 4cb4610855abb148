// Gives a type to what comes from outside (configuration, records, registries, other programs), or says
// everything that is wrong with it at once.

import * as z from 'zod';
import { Fault, type FaultCode } from '../base/fault.ts';

/**
 * @param what names the input in the error: `record of container "4f1c"`
 * @param code of the fault: `invalid_argument` for a person's input, `data_loss` for our own records
 * @throws {Fault} `code`, with every problem and its path, one per line
 */
export function decode<Schema extends z.ZodType>(
  schema: Schema,
  input: unknown,
  what: string,
  code: FaultCode = 'invalid_argument',
): z.output<Schema> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const problems = result.error.issues.map(describe).join('\n  ');
  throw new Fault(code, `cannot read ${what}:\n  ${problems}`);
}

function describe(issue: z.core.$ZodIssue): string {
  const path = issue.path.reduce<string>(
    (at, key) =>
      typeof key === 'number' ? `${at}[${key}]` : at === '' ? String(key) : `${at}.${String(key)}`,
    '',
  );
  return path === '' ? issue.message : `${path}: ${issue.message}`;
}

/** A bigint, written in JSON as a string of decimal digits. */
export const bigintText = z
  .string()
  .regex(/^-?\d+$/, 'must be a string of digits')
  .transform(BigInt);

/** JSON with every bigint as a string of digits: the inverse of `bigintText`. */
export function toJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, v: unknown) => (typeof v === 'bigint' ? String(v) : v)));
}
