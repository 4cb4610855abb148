// What one RPC is, for both sides: its path, and how its messages become bytes. Generated definitions are
// made of these; @grpc/grpc-js takes them as they are.

/** `…Init` is what can be sent: every field may be left out. The other is what is received: every field is there. */
export interface RpcMethod<RequestInit, Request, ResponseInit, Response> {
  /** `/runtime.v1.RuntimeService/Version` */
  readonly path: string;
  /** The RPC's name as the specification spells it: `Version` */
  readonly originalName: string;
  readonly requestStream: false;
  readonly responseStream: boolean;
  readonly requestSerialize: (message: RequestInit) => Buffer;
  readonly requestDeserialize: (bytes: Buffer) => Request;
  readonly responseSerialize: (message: ResponseInit) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Response;
}

/** Any RPC, for code that treats them all alike. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the messages are typed where a method is named
export type AnyRpcMethod = RpcMethod<any, any, any, any>;

export interface RpcOptions {
  /** How long to wait for the answer, in milliseconds; for ever when absent. */
  readonly timeoutMs?: number | undefined;
  /** Gives up, and tells the server, when it aborts. */
  readonly signal?: AbortSignal | undefined;
}

/** The way to a server, as the generated clients need it. */
export interface RpcChannel {
  unary<RequestInit, Request, ResponseInit, Response>(
    method: RpcMethod<RequestInit, Request, ResponseInit, Response>,
    request: RequestInit,
    options: RpcOptions,
  ): Promise<Response>;

  serverStream<RequestInit, Request, ResponseInit, Response>(
    method: RpcMethod<RequestInit, Request, ResponseInit, Response>,
    request: RequestInit,
    options: RpcOptions,
  ): AsyncIterable<Response>;
}
