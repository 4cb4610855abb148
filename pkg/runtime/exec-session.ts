// A command in a container whose streams are in our hands, from its start to its end.

import type { Readable, Writable } from 'node:stream';
import { abortable } from '../async/abortable.ts';
import { detached, type Call } from '../base/call.ts';
import { Fault } from '../base/fault.ts';
import { linkSignals } from '../base/signal.ts';
import { limitTime } from '../base/time-limit.ts';
import { Terminal, type TerminalSize } from '../sys/terminal.ts';
import type { ExecCgroup, ExecCgroups } from './exec-cgroup.ts';
import { writeExecFiles, type ExecFiles } from './exec-files.ts';
import { killExec } from './exec-kill.ts';
import { ExecMonitor } from './exec-monitor.ts';
import type { RuntimeHandler } from './handlers.ts';
import { runtimeFault } from './runtime-error.ts';

export interface ExecDeps {
  /** conmon, an absolute path. */
  readonly conmonPath: string;
  readonly cgroups: ExecCgroups;
  /** How long monitor and runtime may take to start a command, should the caller have more patience. */
  readonly startTimeoutMs?: number;
}

/** Which container. */
export interface ExecPlace {
  readonly id: string;
  readonly handler: RuntimeHandler;
  readonly bundle: string;
  /** The container's cgroup, under the root of every hierarchy. */
  readonly cgroupPath: string;
}

export interface ExecCommand {
  readonly args: readonly string[];
  /** On a terminal, which is `stdin` and `stdout` together. */
  readonly tty: boolean;
  /** The streams that are asked for; others are /dev/null. */
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** When the monitor is to end the command, should the daemon not be there to do it. */
  readonly orphanTimeoutMs?: number | undefined;
}

export class ExecSession implements AsyncDisposable {
  /** Ending it is an end of input to the command. */
  readonly stdin: Writable | undefined;
  /** They end when the command and all that shares them have closed them. */
  readonly stdout: Readable | undefined;
  readonly stderr: Readable | undefined;
  readonly #owned: Owned;
  readonly #terminal: Terminal | undefined;
  #disposed: Promise<void> | undefined;

  private constructor(owned: Owned, terminal: Terminal | undefined) {
    this.#owned = owned;
    this.#terminal = terminal;
    const { stdin, stdout, stderr } = owned.monitor.child;
    this.stdin = terminal ?? stdin;
    this.stdout = terminal ?? stdout;
    this.stderr = stderr;
  }

  /**
   * Starts a command; when this returns it runs.
   *
   * @throws {Fault} invalid_argument — there is no such program, or it cannot be run: then `detail.exitCode` is
   * what a shell would give; internal — the runtime refused otherwise; and the reason of `call.signal`. The
   * command, if there was one, is gone then.
   */
  static async start(
    deps: ExecDeps,
    call: Call,
    place: ExecPlace,
    command: ExecCommand,
  ): Promise<ExecSession> {
    call.signal.throwIfAborted();
    const owned = await own(deps, call, place, command);
    const silent = (limitMs: number): string =>
      `exec in container "${place.id}": the command did not start within ${limitMs} ms`;
    using limit = limitTime(call.signal, deps.startTimeoutMs, silent);
    try {
      const terminal = command.tty ? await receiveTerminal(limit, owned) : undefined;
      const session = new ExecSession(owned, terminal);
      if (await abortable(owned.monitor.started, limit.signal)) return session;
      throw await refusal(place, command, owned);
    } catch (error) {
      await dispose(owned);
      throw error;
    }
  }

  /**
   * The exit code, 0 to 255; 128 + n for a death by signal n. What the command has left in the streams can
   * still be read then.
   *
   * @throws {Fault} internal — nobody knows any more
   */
  async ended(): Promise<number> {
    const { monitor, id } = this.#owned;
    const exitCode = await monitor.exitCode;
    await monitor.child.exited;
    if (exitCode >= 0) return exitCode;
    throw new Fault('internal', `exec in container "${id}": its monitor died before it`, { detail: { id } });
  }

  /** Without a terminal nothing happens. */
  resize(size: TerminalSize): void {
    this.#terminal?.resize(size);
  }

  /** Kills the command, if it runs still, with all that it started; of one that has ended the children stay. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#terminal?.destroy();
    await (this.#disposed ??= dispose(this.#owned));
  }
}

/** All that a command in being holds. */
interface Owned {
  readonly id: string;
  readonly call: Call;
  readonly files: ExecFiles;
  readonly cgroup: ExecCgroup;
  readonly monitor: ExecMonitor;
}

async function own(deps: ExecDeps, call: Call, place: ExecPlace, command: ExecCommand): Promise<Owned> {
  const { id, handler, bundle, cgroupPath } = place;
  await using opened = new AsyncDisposableStack();
  const files = opened.use(await writeExecFiles(bundle, command));
  const cgroup = opened.use(await deps.cgroups.create(call, cgroupPath, handler));
  const monitor = ExecMonitor.start({
    ...{ conmonPath: deps.conmonPath, id, handler, bundle, files, cgroupArg: cgroup.arg },
    ...toStreams(command),
    orphanTimeoutMs: command.orphanTimeoutMs,
  });
  opened.move(); // dispose() has it from now on
  return { id, call, files, cgroup, monitor };
}

function toStreams({ tty, stdin, stdout, stderr }: ExecCommand): Record<'stdin' | 'stdout' | 'stderr', Pipe> {
  const pipe = (wanted: boolean): Pipe => (wanted && !tty ? 'pipe' : 'null');
  return { stdin: pipe(stdin), stdout: pipe(stdout), stderr: pipe(stderr) };
}

type Pipe = 'null' | 'pipe';

/** @returns `undefined` if the runtime fails before it has made a terminal */
async function receiveTerminal(
  call: { readonly signal: AbortSignal },
  { files, monitor }: Owned,
): Promise<Terminal | undefined> {
  if (files.console === undefined) return undefined;
  const failed = new AbortController();
  void monitor.child.exited.then(() => {
    failed.abort();
  }); // it never rejects
  using either = linkSignals(call.signal, failed.signal);
  try {
    return new Terminal(await files.console.receive(either));
  } catch (error) {
    if (failed.signal.aborted && !call.signal.aborted) return undefined;
    throw error;
  }
}

async function refusal(
  { id }: ExecPlace,
  { args: [program = ''] }: ExecCommand,
  { files, monitor }: Owned,
): Promise<Fault> {
  await monitor.child.exited;
  const log = await files.readLog();
  const fault = runtimeFault(`exec in container "${id}"`, log, 'the runtime failed without saying why');
  if (fault.code !== 'invalid_argument') return fault;
  const exitCode = /not found|no such file/i.test(fault.message) ? NOT_FOUND : NOT_EXECUTABLE;
  const message = fault.message.includes(program) ? fault.message : `${fault.message}: "${program}"`;
  return new Fault(fault.code, message, { detail: { id, exitCode }, cause: fault });
}

/** Source: POSIX, Shell Command Language, 2.8.2. */
const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;

async function dispose({ call, files, cgroup, monitor }: Owned): Promise<void> {
  await using owned = new AsyncDisposableStack();
  owned.use(files);
  owned.use(cgroup);
  owned.use(monitor);
  const running = Symbol('running');
  const state = await Promise.race([monitor.child.exited, Promise.resolve(running)]);
  if (state === running) await killExec(detached(call), monitor.child, cgroup);
}
