// Commands, containers and pods that are made of streams alone.

import { PassThrough, type Duplex } from 'node:stream';
import type { Call } from '../../base/call.ts';
import type { ContainerId, SandboxId } from '../../base/id.ts';
import { silentLog } from '../../base/testing/call.ts';
import type {
  Attachment,
  AttachTarget,
  ExecTarget,
  Execution,
  OnOutput,
  Size,
  StreamBackend,
} from '../backend.ts';
import { StreamServer, type StreamingOptions } from '../server.ts';

export class FakeExecution implements Execution {
  readonly stdin = new PassThrough();
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  readonly sizes: Size[] = [];
  killed = false;
  readonly #ended = Promise.withResolvers<number>();

  ended(): Promise<number> {
    return this.#ended.promise;
  }

  resize(size: Size): void {
    this.sizes.push(size);
  }

  /** The command ends, and closes its outputs. */
  exit(code: number): void {
    this.stdout.end();
    this.stderr.end();
    this.#ended.resolve(code);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.killed = true;
  }
}

export class FakeAttachment implements Attachment {
  readonly stdin = new PassThrough();
  readonly sizes: Size[] = [];
  readonly print: OnOutput;
  disposed = false;
  readonly #ended = Promise.withResolvers<undefined>();
  readonly ended: Promise<void> = this.#ended.promise;

  constructor(print: OnOutput) {
    this.print = print;
  }

  async resize(size: Size): Promise<void> {
    this.sizes.push(size);
  }

  exit(): void {
    this.#ended.resolve(undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.disposed = true;
  }
}

export class FakeBackend implements StreamBackend {
  readonly executions: FakeExecution[] = [];
  readonly attachments: FakeAttachment[] = [];
  execFault: Error | undefined;
  connectTo: (port: number) => Promise<Duplex> = async () => new PassThrough();

  async exec(_call: Call, _target: ExecTarget): Promise<Execution> {
    if (this.execFault !== undefined) throw this.execFault;
    const execution = new FakeExecution();
    this.executions.push(execution);
    return execution;
  }

  async attach(_call: Call, _target: AttachTarget, onOutput: OnOutput): Promise<Attachment> {
    const attachment = new FakeAttachment(onOutput);
    this.attachments.push(attachment);
    return attachment;
  }

  connect(_call: Call, _id: SandboxId, port: number): Promise<Duplex> {
    return this.connectTo(port);
  }
}

export const CONTAINER = 'c1' as ContainerId;
export const SANDBOX = 's1' as SandboxId;

/** All streams of a command without a terminal. */
export const execTarget: ExecTarget = {
  ...{ kind: 'exec', id: CONTAINER, args: ['true'] },
  ...{ stdin: true, stdout: true, stderr: true, tty: false },
};

export async function listen(
  backend: StreamBackend,
  options: Partial<StreamingOptions> = {},
): Promise<StreamServer> {
  return await StreamServer.listen({
    ...{ backend, log: silentLog, address: '127.0.0.1', port: 0, idleTimeoutMs: 60_000 },
    ...options,
  });
}
