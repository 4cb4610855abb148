// A container's record on one side, the OCI runtime and the shim on the other.

import { readlink } from 'node:fs/promises';
import { KeyedLock } from '../async/keyed-lock.ts';
import type { Call } from '../base/call.ts';
import { Fault } from '../base/fault.ts';
import type { Container } from '../container/container.ts';
import type { Plan } from '../container/create.ts';
import { containerPaths } from '../container/paths.ts';
import { mayExit } from '../container/phase.ts';
import { attachToConmon, type ConmonAttachment } from '../runtime/conmon-attach.ts';
import { ConmonListeners } from '../runtime/conmon-listeners.ts';
import { endOrphanExecs } from '../runtime/exec-orphans.ts';
import { ExecSession, type ExecCommand, type ExecPlace } from '../runtime/exec-session.ts';
import { execSync, type ExecDeps, type ExecResult } from '../runtime/exec-sync.ts';
import type { ExitWatch } from '../runtime/exit-watch.ts';
import { findFailedHook, withHookNames, type HookCommand } from '../runtime/hooks/failure.ts';
import { noteHooks } from '../runtime/hooks/note.ts';
import type { RuntimeHandlers } from '../runtime/handlers.ts';
import { actualResources } from '../runtime/actual-resources.ts';
import { readKernelLimits, type KernelLimits } from '../runtime/kernel-limits.ts';
import { readOomScoreAdj } from '../runtime/oom-score.ts';
import type { ResourcesInput } from '../runtime/resources.ts';
import type { OciCli } from '../runtime/runtime-cli.ts';
import type { Shim, ShimLocation, ShimProcesses } from '../runtime/shim.ts';

import { checkLogFile } from './log-place.ts';

export type { ExecResult } from '../runtime/exec-sync.ts';

export interface ExecOptions {
  readonly args: readonly string[];
  /** Absent for as long as it takes. */
  readonly timeoutMs?: number | undefined;
}

export interface ContainerRuntimeOptions {
  readonly runDir: string;
  readonly handlers: RuntimeHandlers;
  readonly shim: Shim;
  readonly cli: OciCli;
  readonly exits: Pick<ExitWatch, 'forget'>;
  readonly exec: ExecDeps;
}

export class ContainerRuntime {
  readonly #options: ContainerRuntimeOptions;
  readonly #listeners = new ConmonListeners();
  /** Two at the same time would both make a new file, and lose what was written in between. */
  readonly #reopening = new KeyedLock<string>();

  constructor(options: ContainerRuntimeOptions) {
    this.#options = options;
  }

  async create(
    call: Call,
    container: Container,
    stdin: Plan['stdin'],
  ): Promise<ShimProcesses & { readonly resources: ResourcesInput }> {
    const { runDir, handlers, shim } = this.#options;
    const { bundle } = containerPaths(runDir, container.id);
    const request = {
      id: container.id,
      bundle,
      handler: handlers.get(container.handler),
      logPath: container.logPath,
      tty: container.tty,
      stdin: stdin.open,
      stdinOnce: stdin.once,
    };
    using _hooks = await noteHooks(call, bundle, 'create');
    const processes = await withHookNames(bundle, 'create', () => shim.create(call, request));
    return { ...processes, resources: await this.#actualResources(container, processes.process.pid) };
  }

  async #actualResources(container: Container, pid: number): Promise<ResourcesInput> {
    const asked = container.resources ?? {};
    const actual = actualResources(asked, await this.limits(container, asked));
    return { ...actual, oomScoreAdj: (await readOomScoreAdj(pid)) ?? asked.oomScoreAdj };
  }

  /** @throws {Fault} internal — the runtime refused, or said that it had done it, and had not */
  async start(call: Call, container: Container): Promise<void> {
    const { cli, handlers, runDir } = this.#options;
    const { id, handler, state } = container;
    const { bundle } = containerPaths(runDir, id);
    const pid = mayExit(state) ? state.process.pid : undefined;
    const before = await programOf(pid);
    using _hooks = await noteHooks(call, bundle, 'start');
    const said = await withHookNames(bundle, 'start', () => cli.start(call, handlers.get(handler), id));
    await this.#tellFailedHook(call, id, 'start', said);
    if (before !== (await programOf(pid))) return; // its own program instead of the runtime's, or it has ended
    if ((await this.status(call, container)) === 'created')
      throw new Fault(
        'internal',
        `cannot start container "${id}": the runtime says that it did, and did not`,
      );
  }

  async update(call: Call, { id, handler }: Container, resources: ResourcesInput): Promise<void> {
    await this.#options.cli.update(call, this.#options.handlers.get(handler), id, resources);
  }

  /** What the kernel has now, of all that `asked` says. */
  async limits({ cgroupPath }: Container, asked: ResourcesInput): Promise<KernelLimits> {
    return await readKernelLimits(this.#options.exec.cgroups.cgroups, cgroupPath, asked);
  }

  /** Kills what is left of the container and makes runtime and exit directory forget it. May be repeated. */
  async delete(call: Call, { id, handler }: Container): Promise<void> {
    const said = await this.#options.cli.delete(call, this.#options.handlers.get(handler), id, {
      force: true,
    });
    await this.#tellFailedHook(call, id, 'delete', said);
    await this.#options.exits.forget(id);
  }

  /** Of a hook that nobody waits for there is only the log to tell. */
  async #tellFailedHook(call: Call, id: Container['id'], command: HookCommand, said: string): Promise<void> {
    const { bundle } = containerPaths(this.#options.runDir, id);
    const problem = said === '' ? undefined : await findFailedHook(bundle, command, said);
    if (problem !== undefined) call.log.warn({ id, problem }, 'hook failed');
  }

  /** @returns `undefined` if the runtime does not know the container */
  async status(call: Call, { id, handler }: Container): Promise<string | undefined> {
    return (await this.#options.cli.state(call, this.#options.handlers.get(handler), id))?.status;
  }

  async reopenLog(call: Call, container: Container): Promise<void> {
    await checkLogFile(container.logPath);
    using _turn = await this.#reopening.acquire(container.id, call.signal);
    await this.#options.shim.reopenLog(call, this.#location(container), container.logPath);
  }

  async execSync(call: Call, container: Container, options: ExecOptions): Promise<ExecResult> {
    return await execSync(this.#options.exec, call, { ...this.#execPlace(container), ...options });
  }

  /** A command whose streams are in the caller's hands. */
  async exec(call: Call, container: Container, command: ExecCommand): Promise<ExecSession> {
    return await ExecSession.start(this.#options.exec, call, this.#execPlace(container), command);
  }

  /** Before the first command: ends those of an earlier daemon. @returns how many there were */
  async endOrphanExecs(call: Call, container: Container): Promise<number> {
    const { cgroups } = this.#options.exec;
    return await endOrphanExecs(cgroups.cgroups, call, this.#execPlace(container));
  }

  /**
   * @param options.stdin whether the client types; one who does not leaves the container's input alone
   * @param onOutput is given what the container prints, as it comes: the container waits for it
   */
  async attach(
    container: Container,
    { stdin }: { readonly stdin: boolean },
    onOutput: (name: 'stdout' | 'stderr', chunk: Buffer) => void,
  ): Promise<ConmonAttachment> {
    const location = this.#location(container);
    const mayEndInput = container.stdinOnce && !container.tty; // a terminal has no end
    if (mayEndInput && !stdin) return await this.#listeners.attach(location, onOutput);
    return await attachToConmon(location, onOutput);
  }

  async resize(
    call: Call,
    container: Container,
    size: { readonly rows: number; readonly columns: number },
  ): Promise<void> {
    await this.#options.shim.resize(call, this.#location(container), size);
  }

  #execPlace({ id, cgroupPath, handler }: Container): ExecPlace {
    const { runDir, handlers } = this.#options;
    return { id, cgroupPath, handler: handlers.get(handler), bundle: containerPaths(runDir, id).bundle };
  }

  #location({ id, state }: Container): ShimLocation {
    if (!mayExit(state)) throw new Fault('failed_precondition', `container "${id}" has ended`);
    return { id, bundle: containerPaths(this.#options.runDir, id).bundle, shim: state.shim };
  }
}

/** What the process runs; `undefined` if it has ended. Source: proc_pid_exe(5). */
async function programOf(pid: number | undefined): Promise<string | undefined> {
  return pid === undefined ? undefined : await readlink(`/proc/${pid}/exe`).catch(() => undefined);
}
