// Puts an async iterable behind a gRPC method with many answers. The next item is asked for when the last
// one is on its way: a slow reader slows its own handler down, and nobody else.

import type { handleServerStreamingCall, ServerWritableStream } from '@grpc/grpc-js';
import type { RpcMethod } from '../../api/rpc.ts';
import { abortable } from '../async/abortable.ts';
import type { Call } from '../base/call.ts';
import { IncomingRpc, type RpcContext } from './incoming-rpc.ts';
import { toStatus } from './status.ts';

export type StreamHandler<Request, ResponseInit> = (
  call: Call,
  request: Request,
) => AsyncIterable<ResponseInit>;

export function serverStream<RequestInit, Request, ResponseInit, Response>(
  context: RpcContext,
  method: RpcMethod<RequestInit, Request, ResponseInit, Response>,
  handler: StreamHandler<Request, ResponseInit>,
): handleServerStreamingCall<Buffer, Buffer> {
  const answer = async (rpc: IncomingRpc, wire: ServerWritableStream<Buffer, Buffer>): Promise<void> => {
    const items = handler(rpc.call, rpc.decode(method, wire.request));
    await forEach(rpc.call, items, (item) => write(wire, method.responseSerialize(item)));
  };
  return (wire) => {
    const rpc = new IncomingRpc(context, method, wire);
    answer(rpc, wire).then(
      () => {
        rpc.succeeded();
        wire.end();
      },
      (thrown: unknown) => {
        wire.emit('error', toStatus(rpc.failed(thrown))); // how grpc-js is told of a status
      },
    );
  };
}

/**
 * Hands each item to `body`, until the call is aborted: then the iterator is told to return, and no longer
 * waited for, since what it is waiting for may never come.
 */
async function forEach<T>(
  call: Call,
  items: AsyncIterable<T>,
  body: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await abortable(iterator.next(), call.signal);
      if (next.done === true) return;
      await abortable(body(next.value), call.signal);
    }
  } catch (thrown) {
    iterator.return?.().catch((err: unknown) => {
      call.log.warn({ err }, 'a stream could not be closed');
    });
    throw thrown;
  }
}

/** Settles when the message has been handed to the connection, which takes no more than its reader does. */
function write(wire: ServerWritableStream<Buffer, Buffer>, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    wire.write(bytes, (error?: Error | null) => {
      if (error) reject(error);
      else resolve();
    });
  });
}
