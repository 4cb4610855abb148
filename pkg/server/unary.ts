// Puts a plain async function behind a gRPC method with one answer. Messages are decoded and encoded here,
// not in grpc-js, so that a failure of either is logged and answered as every other.

import type { handleUnaryCall } from '@grpc/grpc-js';
import type { RpcMethod } from '../../api/rpc.ts';
import type { Call } from '../base/call.ts';
import { IncomingRpc, type RpcContext } from './incoming-rpc.ts';
import { toStatus } from './status.ts';

export type UnaryHandler<Request, ResponseInit> = (call: Call, request: Request) => Promise<ResponseInit>;

export function unary<RequestInit, Request, ResponseInit, Response>(
  context: RpcContext,
  method: RpcMethod<RequestInit, Request, ResponseInit, Response>,
  handler: UnaryHandler<Request, ResponseInit>,
): handleUnaryCall<Buffer, Buffer> {
  const answer = async (rpc: IncomingRpc, bytes: Buffer): Promise<Buffer> => {
    const response = await handler(rpc.call, rpc.decode(method, bytes));
    return method.responseSerialize(response);
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
