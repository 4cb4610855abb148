// Puts a plain async function behind a gRPC method with one answer. Messages are decoded and encoded here,
// not in grpc-js, so that a failure of either is logged and answered as every other.

import type { handleUnaryCall } from '@grpc/grpc-js';
import { setImmediate } from 'node:timers/promises';
import type { RpcMethod } from '../../api/rpc.ts';
import type { Call } from '../base/call.ts';
import { IncomingRpc, type RpcContext } from './incoming-rpc.ts';
import { toStatus } from './status.ts';

export type UnaryHandler<Request, ResponseInit> = (
  call: Call,
  request: Request,
) => Promise<ResponseInit> | AnswerInParts<ResponseInit>;

/**
 * A long answer, made and encoded part by part, so that other calls have their turn meanwhile. Protobuf puts the
 * lists of messages that follow each other together.
 */
export type AnswerInParts<ResponseInit> = AsyncGenerator<ResponseInit, void, undefined>;

export function unary<RequestInit, Request, ResponseInit, Response>(
  context: RpcContext,
  method: RpcMethod<RequestInit, Request, ResponseInit, Response>,
  handler: UnaryHandler<Request, ResponseInit>,
): handleUnaryCall<Buffer, Buffer> {
  const answer = async (rpc: IncomingRpc, bytes: Buffer): Promise<Buffer> => {
    const response = handler(rpc.call, rpc.decode(method, bytes));
    if (!(Symbol.asyncIterator in response)) return method.responseSerialize(await response);
    const parts: Buffer[] = [];
    for await (const part of response) {
      parts.push(method.responseSerialize(part));
      await setImmediate();
      rpc.call.signal.throwIfAborted();
    }
    return Buffer.concat(parts);
  };
  return (wire, respond) => {
    const rpc = new IncomingRpc(context, method, wire);
    answer(rpc, wire.request).then(
      (bytes) => {
        rpc.succeeded();
        respond(null, bytes);
      },
      (thrown: unknown) => {
        respond(toStatus(rpc.failed(thrown)));
      },
    );
  };
}
