// The conmon of one exec: it runs the runtime's `exec`, detached, and tells how the command ends.
//
// In "passthrough" the command writes straight into our pipes, and neither conmon nor we wait for children that
// the command leaves behind (a runc that is not detached does, for as long as they keep its pipes open).

import type { Readable } from 'node:stream';
import { Fault } from '../base/fault.ts';
import { closeFd, openPipe, readableFd } from '../sys/pipe.ts';
import { spawn, type Child } from '../sys/spawn.ts';
import { parseSyncLine } from './conmon-sync.ts';
import type { ExecFiles } from './exec-files.ts';
import type { RuntimeHandler } from './handlers.ts';
import { globalArgs } from './runtime-cli.ts';

export interface MonitorOptions {
  /** conmon, an absolute path. */
  readonly conmonPath: string;
  readonly id: string;
  readonly handler: RuntimeHandler;
  readonly bundle: string;
  readonly files: ExecFiles;
  /** For the runtime's `--cgroup`. */
  readonly cgroupArg: string;
  /** When conmon is to end the command, should the daemon not be there to do it. */
  readonly orphanTimeoutMs?: number | undefined;
  readonly stdin: 'null' | 'pipe';
  readonly stdout: 'null' | 'pipe';
  readonly stderr: 'null' | 'pipe';
}

const SYNC_FD = 3;
const PATH = '/usr/sbin:/usr/bin:/sbin:/bin';

export class ExecMonitor {
  readonly child: Child;
  /** Whether the command came into being. It never rejects. */
  readonly started: Promise<boolean>;
  /** 0 to 255; -1 if conmon does not know. It never rejects. */
  readonly exitCode: Promise<number>;
  readonly #sync: Readable;

  private constructor(child: Child, sync: Readable) {
    this.child = child;
    this.#sync = sync;
    const lines = readTwoLines(sync);
    this.started = lines.first.then((line) => line !== undefined && parseSyncLine(line).pid > 1);
    this.exitCode = lines.second.then((line) => (line === undefined ? -1 : parseSyncLine(line).pid));
  }

  /** @throws {Fault} unavailable — conmon cannot be started */
  static start(options: MonitorOptions): ExecMonitor {
    const { conmonPath, bundle, stdin, stdout, stderr } = options;
    const sync = openPipe();
    const env = { PATH, _OCI_SYNCPIPE: String(SYNC_FD) };
    const fds = [{ childFd: SYNC_FD, fd: sync.writeFd }];
    const args = toArgs(options);
    try {
      const child = spawn({ file: conmonPath, args, env, cwd: bundle, fds, stdin, stdout, stderr });
      return new ExecMonitor(child, readableFd(sync.readFd));
    } catch (error) {
      closeFd(sync.readFd);
      throw error;
    } finally {
      closeFd(sync.writeFd);
    }
  }

  /** Lets go of its streams. */
  [Symbol.dispose](): void {
    const { stdin, stdout, stderr } = this.child;
    for (const stream of [this.#sync, stdin, stdout, stderr]) stream?.destroy();
  }
}

function toArgs({ id, handler, files, cgroupArg, orphanTimeoutMs = 0 }: MonitorOptions): string[] {
  const tty = files.console === undefined ? [] : ['--tty', '--console-socket', files.console.path];
  return [
    ...['--sync', '--exec', '--api-version', '--exec-process-spec', files.process],
    ...['--cid', id, '--cuuid', id, '--container-pidfile', files.pid, '--log-path', 'passthrough'],
    ...['--runtime', handler.path],
    ...[...globalArgs(handler), '--log', files.log].flatMap((arg) => ['--runtime-arg', arg]),
    ...['--cgroup', cgroupArg, ...tty].flatMap((arg) => ['--runtime-opt', arg]),
    ...(orphanTimeoutMs > 0 ? ['--timeout', String(Math.ceil(orphanTimeoutMs / 1000))] : []),
  ];
}

/** More than both lines have. */
const MAX_SYNC_LENGTH = 64 * 1024;

/** Each is `undefined` if the stream ends before it. */
function readTwoLines(stream: Readable): Record<'first' | 'second', Promise<string | undefined>> {
  const waiting = [Promise.withResolvers<string | undefined>(), Promise.withResolvers<string | undefined>()];
  let [text, found] = ['', 0];
  stream.on('data', (chunk: Buffer) => {
    if (text.length < MAX_SYNC_LENGTH) text += chunk.toString('utf8');
    const lines = text.split('\n').slice(0, -1);
    for (; found < lines.length && found < 2; found++) waiting[found]?.resolve(lines[found]);
  });
  stream.on('error', () => undefined); // 'close' follows
  stream.on('close', () => {
    for (const { resolve } of waiting) resolve(undefined);
  });
  const [first, second] = waiting;
  if (first === undefined || second === undefined) throw new Fault('internal', 'two are two');
  return { first: first.promise, second: second.promise };
}
