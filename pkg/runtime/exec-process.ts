// The process that an exec adds to a container: like the container's own, but for its command.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { decode } from '../codec/decode.ts';

/** What an exec takes over from `config.json`: user, environment, working directory, capabilities and all else. */
const config = z.object({ process: z.looseObject({ env: z.array(z.string()).default([]) }) });

/**
 * The `process` for `exec --process` of an OCI runtime.
 *
 * @param bundle of the container; what stands there was written by us, but it may be newer or older than us
 * @throws {Fault} data_loss — the bundle has no config, or none that makes sense
 */
export async function buildExecProcess(
  bundle: string,
  { args, tty }: { readonly args: readonly string[]; readonly tty: boolean },
): Promise<object> {
  const path = join(bundle, 'config.json');
  const { process } = decode(config, parseJson(await readFile(path, 'utf8')), `"${path}"`, 'data_loss');
  const needsTerm = tty && !process.env.some((variable) => variable.startsWith('TERM='));
  const env = needsTerm ? [...process.env, 'TERM=xterm'] : process.env;
  return { ...process, args, env, terminal: tty };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
