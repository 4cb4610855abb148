// Emits what an RPC server needs: the definition of each service and the type of its handlers.

import { docstring, type Model, type Rpc, type Service } from './model.ts';

export function emitServices(model: Model): string {
  return (
    `import type { RpcMethod } from '../../rpc.ts';\nimport * as codecs from './codecs.ts';\n` +
    `import type * as types from './types.ts';\n\n` +
    model.services.map(emitService).join('\n')
  );
}

function emitService(service: Service): string {
  const methods = service.rpcs.map((rpc) => emitMethod(service, rpc));
  return (
    `${docstring(service.comment)}export const ${service.name}Definition = {\n${methods.join('')}};\n\n` +
    `/** One function for each RPC; \`Call\` is what a server hands to it besides the request. */\n` +
    `export interface ${service.name}Handlers<Call> {\n${service.rpcs.map(emitHandler).join('')}}\n`
  );
}

function emitMethod(service: Service, rpc: Rpc): string {
  const { request, response } = rpc;
  return `${docstring(rpc.comment, '  ')}  ${rpc.method}: {
    path: '/${service.fullName}/${rpc.name}',
    originalName: '${rpc.name}',
    requestStream: false,
    responseStream: ${String(rpc.stream)},
    requestSerialize: codecs.encode${request},
    requestDeserialize: codecs.decode${request},
    responseSerialize: codecs.encode${response},
    responseDeserialize: codecs.decode${response},
  } satisfies RpcMethod<types.${request}Init, types.${request}, types.${response}Init, types.${response}>,
`;
}

function emitHandler(rpc: Rpc): string {
  const answer = rpc.stream ? 'AsyncIterable' : 'Promise';
  return (
    `${docstring(rpc.comment, '  ')}  readonly ${rpc.method}: (call: Call, request: types.${rpc.request}) => ` +
    `${answer}<types.${rpc.response}Init>;\n`
  );
}
