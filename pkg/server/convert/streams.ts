// The standard streams that Exec and Attach ask for.

import { Fault } from '../../base/fault.ts';
import type { WantedStreams } from '../../stream/backend.ts';

/** @throws {Fault} invalid_argument — none is asked for, or stderr of a terminal, which has none */
export function toWantedStreams({ stdin, stdout, stderr, tty }: WantedStreams): WantedStreams {
  if (!stdin && !stdout && !stderr) {
    throw new Fault('invalid_argument', 'one of stdin, stdout and stderr must be set');
  }
  if (tty && stderr) throw new Fault('invalid_argument', 'tty and stderr must not both be set');
  return { stdin, stdout, stderr, tty };
}
