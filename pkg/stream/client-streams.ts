// The streams between a client and one command, however they are carried.

import type { Readable, Writable } from 'node:stream';
import type { Status } from './status.ts';

export interface ClientStreams {
  readonly stdin: Readable | undefined;
  readonly stdout: Writable | undefined;
  readonly stderr: Writable | undefined;
  /** Sizes of the client's terminal, one JSON object after the other. */
  readonly resize: Readable | undefined;
  /** Aborts when the client has left. */
  readonly left: AbortSignal;
  /** Tells how it ended, the last thing to be said, and waits until the client has gone. */
  finish(status: Status): Promise<void>;
}

/** By what is known of one at a time, in the order of their channels over WebSocket. */
export const STREAM_NAMES = ['stdin', 'stdout', 'stderr', 'error', 'resize'] as const;
export type StreamName = (typeof STREAM_NAMES)[number];

/** From this version of the subprotocol on there is a stream for sizes. */
const RESIZE_SINCE = 3;

/** Which streams belong to what is wanted. */
export function namesOf(
  wanted: {
    readonly stdin: boolean;
    readonly stdout: boolean;
    readonly stderr: boolean;
    readonly tty: boolean;
  },
  version: number,
): ReadonlySet<StreamName> {
  const { stdin, stdout, stderr, tty } = wanted;
  const names: StreamName[] = ['error'];
  if (stdin) names.push('stdin');
  if (stdout) names.push('stdout');
  if (stderr && !tty) names.push('stderr');
  if (tty && version >= RESIZE_SINCE) names.push('resize');
  return new Set(names);
}
