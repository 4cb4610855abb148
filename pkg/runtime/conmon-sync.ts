// The lines that conmon writes to its sync pipe.

import * as z from 'zod';

const line = z.object({ pid: z.int().optional(), data: z.int().optional(), message: z.string().optional() });

export interface SyncLine {
  /** A pid or, at the end of an exec, an exit code. -1 where there is none: never use it as a pid. */
  readonly pid: number;
  /** What the runtime wrote to its standard error; may be empty. */
  readonly message: string;
}

/**
 * Parses `{"pid": 4711}`, `{"data": 0}` or `{"pid": -1, "message": "…"}`.
 *
 * conmon quotes the message itself, and not every byte of it right: what is not JSON is taken for a message.
 */
export function parseSyncLine(text: string): SyncLine {
  const parsed = line.safeParse(parseJson(text));
  if (!parsed.success) return { pid: -1, message: text };
  const { pid, data, message = '' } = parsed.data;
  return { pid: pid ?? data ?? -1, message };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
