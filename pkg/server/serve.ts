// The gRPC server: our services on a unix socket, from the first RPC to an orderly end.

import { Server, type ServiceDefinition, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { setTimeout } from 'node:timers/promises';
import {
  ImageServiceDefinition,
  RuntimeServiceDefinition,
  type ImageServiceHandlers,
  type RuntimeServiceHandlers,
} from '../../api/cri/generated/services.ts';
import { AdminDefinition, type AdminHandlers } from '../../api/davit/generated/services.ts';
import type { AnyRpcMethod } from '../../api/rpc.ts';
import type { Call, Log } from '../base/call.ts';
import { Fault } from '../base/fault.ts';
import { BoundSocket } from './bound-socket.ts';
import type { IncomingRpc, ObserveRpc, RpcContext } from './incoming-rpc.ts';
import type { Operations } from './operations.ts';
import { serverStream, type StreamHandler } from './server-stream.ts';
import { claimSocketPath } from './socket-path.ts';
import { unary, type AnswerInParts, type UnaryHandler } from './unary.ts';

/** What the daemon can do. What is left out answers `unimplemented`. */
export interface Services {
  readonly runtime: Served<RuntimeServiceHandlers<Call>>;
  readonly image: Served<ImageServiceHandlers<Call>>;
  readonly admin?: Served<AdminHandlers<Call>>;
}

type Served<Handlers> = { readonly [Name in keyof Handlers]?: Handlers[Name] | InParts<Handlers[Name]> };

/** A handler that could give its answer at once, but gives it in parts. */
export type InParts<Handler> = Handler extends (
  call: Call,
  request: infer Request,
) => Promise<infer ResponseInit>
  ? (call: Call, request: Request) => AnswerInParts<ResponseInit>
  : never;

/** A service, and a handler for each of its RPCs that there is. */
export interface ServedService {
  readonly definition: Readonly<Record<string, AnyRpcMethod>>;
  readonly handlers: object;
}

export interface GrpcServerOptions {
  /** Its directory must exist. */
  readonly socketPath: string;
  readonly services: Services;
  readonly log: Log;
  readonly observe?: ObserveRpc;
  /** Knows of every RPC while it goes on. */
  readonly operations?: Operations;
}

/** The kubelet's own limit for what it receives; a request of this size is a mistake or an attack. */
const MAX_REQUEST_BYTES = 16 * 1024 * 1024;

/** How long RPCs may take to finish when the owner says nothing, in milliseconds. */
const DEFAULT_GRACE_MS = 10_000;

/** How long the answers of aborted RPCs may take to leave, in milliseconds. */
const LAST_WORDS_MS = 500;

export class GrpcServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #socket: Disposable;
  readonly #active: ReadonlySet<IncomingRpc>;
  #stopped: Promise<void> | undefined;

  private constructor(server: Server, socket: Disposable, active: ReadonlySet<IncomingRpc>) {
    this.#server = server;
    this.#socket = socket;
    this.#active = active;
  }

  /**
   * Binds the socket and answers from then on.
   *
   * @throws {Fault} invalid_argument, failed_precondition — see claimSocketPath()
   */
  static listen({ services, ...options }: GrpcServerOptions): Promise<GrpcServer> {
    return GrpcServer.listenFor(options, [
      { definition: RuntimeServiceDefinition, handlers: services.runtime },
      { definition: ImageServiceDefinition, handlers: services.image },
      { definition: AdminDefinition, handlers: services.admin ?? {} },
    ]);
  }

  /** As `listen()`, for any services. */
  static async listenFor(
    options: Omit<GrpcServerOptions, 'services'>,
    services: readonly ServedService[],
  ): Promise<GrpcServer> {
    const { socketPath, log, observe = () => undefined } = options;
    await claimSocketPath(socketPath);
    const server = new Server({
      'grpc.max_receive_message_length': MAX_REQUEST_BYTES,
      'grpc.max_send_message_length': -1,
    });
    const context: RpcContext = { log, observe, active: new Set() };
    options.operations?.follow(context.active);
    for (const { definition, handlers } of services) register(server, context, definition, handlers);
    try {
      const socket = await BoundSocket.bind(server, { path: socketPath, log });
      return new GrpcServer(server, socket, context.active);
    } catch (error) {
      server.forceShutdown();
      throw error;
    }
  }

  /**
   * Takes no more connections, ends streams at once, and gives the other RPCs time to finish; those that
   * do not are aborted. May be repeated.
   */
  stop(graceMs: number = DEFAULT_GRACE_MS): Promise<void> {
    this.#stopped ??= this.#stop(graceMs);
    return this.#stopped;
  }

  async #stop(graceMs: number): Promise<void> {
    this.#socket[Symbol.dispose]();
    const reason = new Fault('unavailable', 'the daemon is stopping');
    for (const rpc of this.#active) if (rpc.isStream) rpc.abort(reason);
    const finished = new Promise<void>((resolve) => {
      this.#server.tryShutdown(() => {
        resolve();
      });
    });
    if (await settlesWithin(finished, graceMs)) return;
    for (const rpc of this.#active) rpc.abort(reason);
    if (await settlesWithin(finished, LAST_WORDS_MS)) return;
    this.#server.forceShutdown();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

async function settlesWithin(promise: Promise<void>, timeoutMs: number): Promise<boolean> {
  const timer = new AbortController();
  const late = setTimeout(timeoutMs, false, { signal: timer.signal }).catch(() => false);
  const settled = await Promise.race([promise.then(() => true), late]);
  timer.abort();
  return settled;
}

/** Puts every RPC of a service behind its handler, or behind a refusal that names it. */
function register(
  server: Server,
  context: RpcContext,
  definition: Readonly<Record<string, AnyRpcMethod>>,
  handlers: object,
): void {
  const service: Record<string, ServiceDefinition[string]> = {};
  const implementation: UntypedServiceImplementation = {};
  const byName = new Map(Object.entries(handlers));
  for (const [name, method] of Object.entries(definition)) {
    service[name] = { ...method, ...asBytes };
    // The maps of handlers are typed by method; `any` in AnyRpcMethod is what remains of that here.
    const handler: unknown = byName.get(name);
    implementation[name] = method.responseStream
      ? serverStream(context, method, (handler ?? refuseStream(method)) as StreamHandler<unknown, unknown>)
      : unary(context, method, (handler ?? refuse(method)) as UnaryHandler<unknown, unknown>);
  }
  server.addService(service, implementation);
}

/** Messages stay bytes within grpc-js. */
const same = (bytes: Buffer): Buffer => bytes;
const asBytes = {
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
};

function unimplemented(method: AnyRpcMethod): Fault {
  return new Fault('unimplemented', `this version does not implement "${method.originalName}"`);
}

function refuse(method: AnyRpcMethod): UnaryHandler<unknown, unknown> {
  return () => Promise.reject(unimplemented(method));
}

function refuseStream(method: AnyRpcMethod): StreamHandler<unknown, unknown> {
  return () => {
    throw unimplemented(method);
  };
}
