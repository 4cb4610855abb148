// What the streaming server streams: commands in containers, containers themselves, ports of pods.

import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { detached, type Call } from '../base/call.ts';
import { Fault } from '../base/fault.ts';
import { linkSignals } from '../base/signal.ts';
import type { ContainerId, SandboxId } from '../base/id.ts';
import type { Container } from '../container/container.ts';
import { sandboxPaths } from '../sandbox/paths.ts';
import { podName, type Sandbox } from '../sandbox/sandbox.ts';
import type {
  Attachment,
  AttachTarget,
  ExecTarget,
  Execution,
  OnOutput,
  StreamBackend,
} from '../stream/backend.ts';
import { isErrno } from '../sys/errno.ts';
import { connectToLoopback } from '../sys/loopback.ts';
import type { ContainerRuntime } from './container-runtime.ts';

export interface PodStreamsDeps {
  readonly runDir: string;
  readonly containers: { get(id: ContainerId): Container; list(): Container[] };
  readonly sandboxes: { get(id: SandboxId): Sandbox };
  readonly runtime: Pick<ContainerRuntime, 'exec' | 'attach' | 'resize' | 'endOrphanExecs'>;
}

/** A listener whose queue is full does not answer at all. */
const CONNECT_TIMEOUT_MS = 10_000;

export class PodStreams implements StreamBackend {
  readonly #deps: PodStreamsDeps;

  constructor(deps: PodStreamsDeps) {
    this.#deps = deps;
  }

  /** At the start, before any other: ends the commands whose clients an earlier daemon had. */
  async endOrphans(call: Call): Promise<void> {
    const running = this.#deps.containers.list().filter(({ state }) => isRunning(state));
    const endThose = async (container: Container): Promise<void> => {
      try {
        const count = await this.#deps.runtime.endOrphanExecs(call, container);
        if (count > 0) call.log.info({ id: container.id, count }, 'commands of an earlier daemon ended');
      } catch (error) {
        call.log.warn({ id: container.id, error: Fault.from(error).message }, 'commands cannot be ended');
      }
    };
    await Promise.all(running.map(endThose));
  }

  async exec(call: Call, { id, args, ...wanted }: ExecTarget): Promise<Execution> {
    const container = this.#deps.containers.get(id);
    refuseUnlessRunning(container, 'run a command in');
    return await this.#deps.runtime.exec(call, container, { args, ...wanted });
  }

  async attach(call: Call, { id, stdin }: AttachTarget, onOutput: OnOutput): Promise<Attachment> {
    const container = this.#deps.containers.get(id);
    refuseUnlessRunning(container, 'attach to');
    const { runtime } = this.#deps;
    const attachment = await runtime.attach(container, { stdin }, onOutput);
    return {
      ...attachment,
      resize: (size) => runtime.resize(detached(call), container, size),
      [Symbol.asyncDispose]: () => attachment[Symbol.asyncDispose](),
    };
  }

  async connect(call: Call, id: SandboxId, port: number): Promise<Duplex> {
    const sandbox = this.#deps.sandboxes.get(id);
    refuseUnlessReady(sandbox, 'forward ports of');
    using either = linkSignals(call.signal, AbortSignal.timeout(CONNECT_TIMEOUT_MS));
    try {
      return await connectToLoopback(either, this.#netnsOf(sandbox), port);
    } catch (cause) {
      throw call.signal.aborted ? cause : unreachable(sandbox, port, cause);
    }
  }

  /** A pod on the node's network has none of its own. */
  #netnsOf({ id, config }: Sandbox): string | undefined {
    return config.network === 'pod' ? join(sandboxPaths(this.#deps.runDir, id).namespaces, 'net') : undefined;
  }
}

function unreachable(sandbox: Sandbox, port: number, cause: unknown): Fault {
  const why = isErrno(cause, 'ECONNREFUSED') ? 'connection refused' : Fault.from(cause).message;
  const where = `port ${port} of pod "${podName(sandbox)}" on its loopback interface`;
  return new Fault('unavailable', `cannot connect to ${where}: ${why}`, { cause });
}

/** @throws {Fault} failed_precondition */
export function refuseUnlessRunning({ id, state }: Container, what: string): void {
  if (isRunning(state)) return;
  throw new Fault('failed_precondition', `cannot ${what} container "${id}": it is ${state.phase}`, {
    detail: { id },
  });
}

function isRunning({ phase }: Container['state']): boolean {
  return phase === 'running' || phase === 'stopping';
}

/** @throws {Fault} failed_precondition */
export function refuseUnlessReady(sandbox: Sandbox, what: string): void {
  const { id, state } = sandbox;
  if (state.phase === 'ready') return;
  const message = `cannot ${what} pod sandbox "${id}" ("${podName(sandbox)}"): it is ${state.phase}`;
  throw new Fault('failed_precondition', message, { detail: { id } });
}
