// conmon as the shim: one small process per container. It forks away from the daemon, runs `create` of the OCI
// runtime, copies the container's output into its log, and at the end writes an exit file.
// Source: conmon(8), and conmon 2.1.6 to 2.2.1 as observed.

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { abortable } from '../async/abortable.ts';
import type { Call } from '../base/call.ts';
import { Fault } from '../base/fault.ts';
import { observed, type Outcome } from '../base/outcome.ts';
import { limitTime } from '../base/time-limit.ts';
import { stage } from '../base/timeline.ts';
import { readTextIfExists } from '../sys/files.ts';
import { closeFd, openPipe, readableFd } from '../sys/pipe.ts';
import { identifyNow, type ProcessIdentity } from '../sys/process-identity.ts';
import { signal } from '../sys/process.ts';
import { spawn, type Child, type Exit } from '../sys/spawn.ts';
import { reopenLog, resizeTerminal } from './conmon-control.ts';
import { parseSyncLine } from './conmon-sync.ts';
import { readFirstLine, readText } from './read-text.ts';
import { globalArgs } from './runtime-cli.ts';
import { runtimeFault } from './runtime-error.ts';
import type { Shim, ShimLocation, ShimProcesses, ShimRequest } from './shim.ts';

export interface ConmonOptions {
  /** The program, an absolute path. */
  readonly path: string;
  /** Where it writes an exit file per container: see `ExitWatch`. */
  readonly exitDir: string;
  /** How long it and the runtime may take to create a container, should the caller have more patience. */
  readonly timeoutMs?: number;
  /** Told of every command that it was given: `create`, `reopen-log`, `resize`. */
  readonly observe?: (command: string, outcome: Outcome, tookMs: number) => void;
}

/** The number that conmon's end of the sync pipe has in it. */
const SYNC_FD = 3;

/** conmon forks at once; one that has not by then never will. */
const FORK_TIMEOUT_MS = 2000;

export class Conmon implements Shim {
  readonly #path: string;
  readonly #exitDir: string;
  readonly #timeoutMs: number | undefined;
  readonly #observe: ConmonOptions['observe'];

  constructor({ path, exitDir, timeoutMs, observe }: ConmonOptions) {
    this.#path = path;
    this.#exitDir = exitDir;
    this.#timeoutMs = timeoutMs;
    this.#observe = observe;
  }

  async create(call: Call, request: ShimRequest): Promise<ShimProcesses> {
    const silent = (limitMs: number): string =>
      `cannot create container "${request.id}": neither "${this.#path}" nor the runtime has answered within ${limitMs} ms`;
    using limit = limitTime(call.signal, this.#timeoutMs, silent);
    return await this.#observed('create', () => this.#create({ ...call, signal: limit.signal }, request));
  }

  async #create(call: Call, request: ShimRequest): Promise<ShimProcesses> {
    call.signal.throwIfAborted();
    const args = this.#createArgs(request);
    await rm(join(request.bundle, CONMON_PID_FILE), { force: true }); // of an earlier attempt: its pid is nobody's
    const sync = openPipe();
    using owned = new DisposableStack();
    const answers = owned.adopt(readableFd(sync.readFd), (stream) => stream.destroy());
    const child = this.#spawn(request, args, sync.writeFd);
    owned.defer(() => child.stderr?.destroy());
    const said = Promise.all([readFirstLine(answers), readText(child.stderr)]);
    try {
      const exit = await during(call, 'start monitor', child.exited);
      const [line, stderr] = await during(call, 'runtime create', said);
      const process = toProcess(request.id, parseSyncLine(line), { exit, stderr });
      return { process, shim: await readShim(request) };
    } catch (error) {
      if (call.signal.aborted) await abandon(request, child);
      throw error;
    }
  }

  async reopenLog(call: Call, location: ShimLocation, logPath: string): Promise<void> {
    await this.#observed('reopen-log', () => reopenLog(call, location, logPath));
  }

  async resize(
    call: Call,
    location: ShimLocation,
    size: { readonly rows: number; readonly columns: number },
  ): Promise<void> {
    call.signal.throwIfAborted();
    await this.#observed('resize', () => resizeTerminal(location, size));
  }

  #observed<T>(command: string, work: () => Promise<T>): Promise<T> {
    return observed((outcome, tookMs) => this.#observe?.(command, outcome, tookMs), work);
  }

  /** The environment has no locale, which would cost conmon a millisecond, and no TMPDIR but for its terminal. */
  #spawn({ bundle, tty }: ShimRequest, args: readonly string[], writeFd: number): Child {
    const env = { PATH, _OCI_SYNCPIPE: String(SYNC_FD), ...(tty ? { TMPDIR: this.#socketDir(bundle) } : {}) };
    const fds = [{ childFd: SYNC_FD, fd: writeFd }];
    try {
      return spawn({ file: this.#path, args, env, cwd: bundle, fds, stderr: 'pipe' });
    } finally {
      closeFd(writeFd);
    }
  }

  /**
   * `--full-attach` keeps the attach socket in the bundle; `--no-sync-log` because an exit must not wait for a
   * slow disk. `-s` is not used: it would only add what `globalArgs()` has.
   */
  #createArgs(request: ShimRequest): string[] {
    const { id, bundle, handler, logPath = '', tty, stdin, stdinOnce } = request;
    return [
      ...['--cid', id, '--cuuid', id, '--bundle', bundle, '--runtime', handler.path],
      ...globalArgs(handler).flatMap((arg) => ['--runtime-arg', arg]),
      ...['--container-pidfile', join(bundle, 'pidfile'), '--conmon-pidfile', join(bundle, CONMON_PID_FILE)],
      ...['--exit-dir', this.#exitDir, '--persist-dir', bundle, '--full-attach', '--no-sync-log'],
      ...['--log-path', toLogArg(logPath)],
      ...(tty ? ['--terminal'] : []),
      ...(stdin && !tty ? ['--stdin'] : []),
      ...(stdin && !stdinOnce ? ['--leave-stdin-open'] : []),
    ];
  }

  /** For the socket by which the runtime hands over the terminal: with the bundle's path its own may be too long. */
  #socketDir(bundle: string): string {
    return Buffer.byteLength(bundle) + SOCKET_NAME_LENGTH < MAX_SOCKET_PATH ? bundle : this.#exitDir;
  }
}

async function during<T>(call: Call, name: string, work: Promise<T>): Promise<T> {
  using _stage = stage(call, name);
  return await abortable(work, call.signal);
}

const PATH = '/usr/sbin:/usr/bin:/sbin:/bin';
const CONMON_PID_FILE = 'conmon.pid';

/** `/conmon-term.XXXXXX`, and sizeof(sun_path). Source: unix(7). */
const SOCKET_NAME_LENGTH = 19;
const MAX_SOCKET_PATH = 108;

/** @throws {Fault} invalid_argument — conmon would take the path for something else */
function toLogArg(logPath: string): string {
  if (logPath === '') return 'none';
  if (!logPath.includes(':')) return `k8s-file:${logPath}`;
  throw new Fault('invalid_argument', `log path "${logPath}" must not contain a colon`);
}

/** @throws {Fault} when conmon or the runtime failed; then the pid is -1, or there is no answer at all */
function toProcess(
  id: string,
  answer: { readonly pid: number; readonly message: string },
  { exit, stderr }: { readonly exit: Exit; readonly stderr: string },
): ProcessIdentity {
  const what = `create container "${id}"`;
  const failed = exit.kind === 'signalled' || exit.code !== 0;
  if (failed) throw new Fault('internal', `cannot ${what}: ${lastLine(stderr) || 'conmon failed'}`);
  const { pid, message } = answer;
  if (pid <= 1) throw runtimeFault(what, message, 'the runtime failed without saying why');
  return identify(pid);
}

async function readShim({ id, bundle }: ShimRequest): Promise<ProcessIdentity> {
  const pid = Number(await readTextIfExists(join(bundle, CONMON_PID_FILE)));
  if (Number.isInteger(pid) && pid > 1) return identify(pid);
  throw new Fault('internal', `cannot create container "${id}": conmon wrote no pid`);
}

/** One that has ended already is known by a start time that no process has. */
function identify(pid: number): ProcessIdentity {
  return identifyNow(pid) ?? { pid, startTicks: '0' };
}

/** Kills conmon, and with it the runtime, which asked the kernel to die with its parent. */
async function abandon(request: ShimRequest, child: Child): Promise<void> {
  await Promise.race([child.exited, delay(FORK_TIMEOUT_MS, undefined, { ref: false })]);
  await signal(child.identity, 'SIGKILL');
  const text = await readTextIfExists(join(request.bundle, CONMON_PID_FILE));
  const shim = text === undefined ? undefined : identifyNow(Number(text));
  if (shim !== undefined && shim.pid > 1) await signal(shim, 'SIGKILL');
}

/** `[conmon:e]: Failed to open log file: No such file or directory` */
function lastLine(text: string): string {
  return (text.trimEnd().split('\n').at(-1) ?? '').replace(/^\[conmon:.\]: /, '');
}
