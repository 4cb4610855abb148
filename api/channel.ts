// The way to an RPC server on a unix socket. Messages have no size limit here: the server is ours or root's.

import {
  Client,
  credentials,
  Metadata,
  type CallOptions,
  type ClientReadableStream,
  type ServiceError,
} from '@grpc/grpc-js';
import type { RpcChannel, RpcMethod, RpcOptions } from './rpc.ts';

/** After a failed connection the next is tried this soon, in milliseconds: a daemon that restarts is back in 200. */
const RECONNECT_MS = 50;
const RECONNECT_MAX_MS = 1000;

export class SocketChannel implements RpcChannel, Disposable {
  readonly #client: Client;

  /** @param socketPath absolute path of the unix socket; connecting begins with the first RPC */
  constructor(socketPath: string) {
    this.#client = new Client(`unix:${socketPath}`, credentials.createInsecure(), {
      'grpc.default_authority': 'localhost',
      'grpc.max_receive_message_length': -1,
      'grpc.max_send_message_length': -1,
      'grpc.initial_reconnect_backoff_ms': RECONNECT_MS,
      'grpc.max_reconnect_backoff_ms': RECONNECT_MAX_MS,
      'grpc.service_config_disable_resolution': 1,
      'grpc.use_local_subchannel_pool': 1, // another client on the same path is another connection
    });
  }

  /**
   * @throws {ServiceError} the server's status: its `code` is a gRPC code, its `details` the message alone
   * @throws the reason of `options.signal` when that aborts
   */
  unary<RequestInit, Request, ResponseInit, Response>(
    method: RpcMethod<RequestInit, Request, ResponseInit, Response>,
    request: RequestInit,
    options: RpcOptions,
  ): Promise<Response> {
    const { signal } = options;
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const onAbort = (): void => {
        call.cancel();
      };
      const done = (error: ServiceError | null, response?: Response): void => {
        signal?.removeEventListener('abort', onAbort);
        if (error === null)
          resolve(response as Response); // grpc-js gives one of the two
        else reject(signal?.aborted === true ? (signal.reason as Error) : error);
      };
      const { path, requestSerialize, responseDeserialize } = method;
      const call = this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        new Metadata(),
        toCallOptions(options),
        done,
      );
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /**
   * The RPC begins with the first `next()`, and is cancelled when the caller stops iterating.
   *
   * @throws as `unary()` does, from `next()`
   */
  async *serverStream<RequestInit, Request, ResponseInit, Response>(
    method: RpcMethod<RequestInit, Request, ResponseInit, Response>,
    request: RequestInit,
    options: RpcOptions,
  ): AsyncGenerator<Response, void, undefined> {
    const { signal } = options;
    signal?.throwIfAborted();
    const { path, requestSerialize, responseDeserialize } = method;
    const stream: ClientReadableStream<Response> = this.#client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      new Metadata(),
      toCallOptions(options),
    );
    const onAbort = (): void => {
      stream.cancel();
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      yield* stream as AsyncIterable<Response>; // a stream of objects, decoded by `responseDeserialize`
    } catch (thrown) {
      if (signal?.aborted === true) throw signal.reason;
      throw thrown;
    } finally {
      signal?.removeEventListener('abort', onAbort);
      stream.on('error', () => undefined); // the cancellation of our own
      stream.cancel();
    }
  }

  /** Waits until the server answers on its socket; the RPCs themselves do not wait for that. */
  async waitForReady(timeoutMs: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#client.waitForReady(Date.now() + timeoutMs, (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

function toCallOptions({ timeoutMs }: RpcOptions): CallOptions {
  return timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
}
