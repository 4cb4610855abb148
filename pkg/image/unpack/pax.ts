// Extended headers: `<length> <key>=<value>\n` records that overrule the header that follows them.
// Source: POSIX pax, "pax Extended Header".

import { badTar } from './tar-fault.ts';

/** Values are bytes, one per character. */
export type PaxRecords = ReadonlyMap<string, string>;

/** @throws {Fault} data_loss — a record is malformed */
export function parsePax(data: Buffer): PaxRecords {
  const records = new Map<string, string>();
  for (let at = 0; at < data.length;) {
    const blank = data.indexOf(0x20, at);
    const length = blank < 0 || blank - at > 10 ? NaN : Number(data.toString('latin1', at, blank));
    const end = at + length;
    const isWhole =
      Number.isInteger(length) && end > blank + 1 && end <= data.length && data[end - 1] === 0x0a;
    const equals = data.indexOf(0x3d, blank);
    if (!isWhole || equals < 0 || equals >= end) throw badTar('an extended header is malformed');
    records.set(data.toString('latin1', blank + 1, equals), data.toString('latin1', equals + 1, end - 1));
    at = end;
  }
  return records;
}

/**
 * `1350244992.023960108` in nanoseconds; digits beyond are cut off.
 *
 * @throws {Fault} data_loss — it is no time, or one that a 64-bit system cannot keep
 */
export function parsePaxTime(text: string): bigint {
  const match = /^(-?)(\d{1,15})(?:\.(\d*))?$/.exec(text);
  if (match === null) throw badTar(`"${text.slice(0, 40)}" is no time`);
  const [, sign, seconds = '0', fraction = ''] = match;
  const ns = BigInt(seconds) * 1_000_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, '0'));
  return sign === '-' ? -ns : ns;
}

/** A decimal number that may not be negative. @throws {Fault} data_loss */
export function parsePaxNumber(text: string): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(value)) throw badTar(`"${text.slice(0, 40)}" is no number`);
  return value;
}
