// A line of a container's log, as the CRI has it.

import { Fault } from '../base/fault.ts';

export interface LogLine {
  /** RFC 3339 as written, with nanoseconds: `2026-11-21T02:39:10.123456789+00:00`. */
  readonly timestamp: string;
  /** The same, in nanoseconds since the Unix epoch. */
  readonly timeNs: bigint;
  readonly stream: 'stdout' | 'stderr';
  /** Whether what the container wrote goes on in the next line of this stream, without a line break. */
  readonly partial: boolean;
  /** Without the line break. */
  readonly content: Buffer;
}

const SPACE = 0x20;
const NEWLINE = 0x0a;

/**
 * Parses one line of a log.
 *
 * `<RFC 3339 time> <stdout|stderr> <tags> <content>`: tags are joined by colons, the first is `P` (partial) or
 * `F` (full). The content is bytes of any kind. A program's last line is `P` if it does not end in a line break.
 *
 * @param line with or without its line break
 * @throws {Fault} data_loss — the line has another shape: it is being written, or the disk was full
 * Source: the CRI's logging design, "CRI logging format".
 */
export function parseLogLine(line: Buffer): LogLine {
  const end = line.at(-1) === NEWLINE ? line.length - 1 : line.length;
  const first = line.indexOf(SPACE);
  const second = line.indexOf(SPACE, first + 1);
  const third = line.indexOf(SPACE, second + 1);
  const tagsEnd = third === -1 ? end : third; // an empty line may lack its last space
  if (first === -1 || second === -1) throw malformed(line);
  const timestamp = line.toString('latin1', 0, first);
  const timeNs = parseTime(timestamp);
  const stream = line.toString('latin1', first + 1, second);
  const tag = line.toString('latin1', second + 1, tagsEnd).split(':')[0];
  if (timeNs === undefined || !isStream(stream) || (tag !== 'P' && tag !== 'F')) throw malformed(line);
  return {
    timestamp,
    timeNs,
    stream,
    partial: tag === 'P',
    content: line.subarray(Math.min(tagsEnd + 1, end), end),
  };
}

/**
 * RFC 3339 in nanoseconds since the Unix epoch, exactly.
 *
 * @returns `undefined` if it is no such time
 */
export function parseTime(text: string): bigint | undefined {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text);
  const [, seconds = '', fraction = '', zone = ''] = match ?? [];
  const ms = Date.parse(`${seconds}${zone}`);
  if (match === null || Number.isNaN(ms)) return undefined;
  return BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}

function isStream(text: string): text is LogLine['stream'] {
  return text === 'stdout' || text === 'stderr';
}

function malformed(line: Buffer): Fault {
  const start = line.subarray(0, 80).toString('utf8');
  return new Fault('data_loss', `cannot read log line ${JSON.stringify(start)}`);
}
