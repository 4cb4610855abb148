// Reading the log files of containers.

import { existsSync, readFileSync } from 'node:fs';
import { parseLogLine, type LogLine } from '../../../pkg/stream/log-line.ts';

const NEWLINE = 0x0a;

/** All whole lines of a log file; none if there is no file. @throws if one is not as the CRI has it */
export function readLog(path: string): LogLine[] {
  if (!existsSync(path)) return [];
  const bytes = readFileSync(path);
  const lines: LogLine[] = [];
  let start = 0;
  for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
    lines.push(parseLogLine(bytes.subarray(start, end + 1)));
    start = end + 1;
  }
  return lines;
}
