// The files of one exec, in the container's bundle while it lasts.

import { randomBytes } from 'node:crypto';
import { open, readFile, unlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ConsoleSocket } from '../sys/console-socket.ts';
import { isErrno } from '../sys/errno.ts';
import { buildExecProcess } from './exec-process.ts';
import { encodeOciJson } from './oci-json.ts';

export interface ExecFiles extends AsyncDisposable {
  readonly process: string;
  readonly pid: string;
  readonly log: string;
  /** Where the runtime sends the terminal, if there is to be one. */
  readonly console: ConsoleSocket | undefined;
  /** What the runtime has complained about. */
  readLog(): Promise<string>;
}

export async function writeExecFiles(
  bundle: string,
  command: { readonly args: readonly string[]; readonly tty: boolean },
): Promise<ExecFiles> {
  const base = join(bundle, `exec-${randomBytes(8).toString('hex')}`);
  const [process, pid, log] = [`${base}.json`, `${base}.pid`, `${base}.log`];
  await using owned = new AsyncDisposableStack();
  owned.defer(async () => {
    await Promise.all([process, pid, log].map(removeFile));
  });
  const text = encodeOciJson(await buildExecProcess(bundle, command));
  await writeFile(process, text, { flag: 'wx', mode: 0o600 });
  const console = command.tty ? await listen(owned, bundle, `${basename(base)}.console`) : undefined;
  const files = owned.move();
  return {
    ...{ process, pid, log, console },
    readLog: () => readFile(log, 'utf8').catch(() => ''),
    [Symbol.asyncDispose]: () => files.disposeAsync(),
  };
}

/** By way of a descriptor of ours, because the bundle's path may be too long for a socket's. */
async function listen(owned: AsyncDisposableStack, bundle: string, name: string): Promise<ConsoleSocket> {
  const dir = owned.use(await open(bundle));
  return owned.use(ConsoleSocket.listen(`/proc/${process.pid}/fd/${dir.fd}/${name}`));
}

/** At once: `rm()` would look at it first. */
async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}
