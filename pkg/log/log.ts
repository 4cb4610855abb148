// Where log lines go. Everything else sees only the interface in base/call.ts.

import { pino } from 'pino';
import type { Log } from '../base/call.ts';
import type { LogLevel } from '../base/log-level.ts';

/** One JSON object a line on standard error, as journald and every log shipper reads it. */
export function openLog(level: LogLevel): Log {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return pino(options, pino.destination({ dest: 2, sync: true }));
}
