#!/usr/bin/env node
// The process around davitctl: arguments, streams and signals.

import { text } from 'node:stream/consumers';
import { timeOfDayMs } from '../../pkg/base/clock.ts';
import type { Io } from './command.ts';
import { davitctl } from './davitctl.ts';

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    interrupted.abort(); // the second one ends the process
  });
}

/** The reader of a pipe has seen enough: `davitctl ps | head -1`. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

/** A terminal that does not know its width says 0. */
const MIN_COLUMNS = 40;

const io: Io = {
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
  write: (bytes, to) =>
    new Promise((resolve) => {
      const stream = to === 'out' ? process.stdout : process.stderr;
      stream.write(bytes, () => {
        resolve();
      });
    }),
  readInput: () => text(process.stdin),
  terminal: process.stdout.isTTY ? { columns: Math.max(MIN_COLUMNS, process.stdout.columns) } : undefined,
  env: process.env,
  cwd: process.cwd(),
  signal: interrupted.signal,
  now: timeOfDayMs,
};

process.exitCode = await davitctl(process.argv.slice(2), io);
