// Emits one class with a method for each RPC of the file, all services together.

import { docstring, type Model, type Rpc, type Service } from './model.ts';

export function emitClient(model: Model): string {
  const definitions = model.services.map((service) => `${service.name}Definition`).join(', ');
  const methods = model.services.flatMap((service) => service.rpcs.map((rpc) => emitMethod(service, rpc)));
  return `import type { RpcChannel, RpcOptions } from '../../rpc.ts';
import { ${definitions} } from './services.ts';
import type * as types from './types.ts';

/** The RPCs of the file, one method each, over any channel. */
export class GeneratedClient {
  readonly #channel: RpcChannel;

  constructor(channel: RpcChannel) {
    this.#channel = channel;
  }
${methods.join('')}}
`;
}

function emitMethod(service: Service, rpc: Rpc): string {
  const parameters = `request: types.${rpc.request}Init = {}, options: RpcOptions = {}`;
  const method = `${service.name}Definition.${rpc.method}`;
  const [answer, send] = rpc.stream ? ['AsyncIterable', 'serverStream'] : ['Promise', 'unary'];
  return `
${docstring(rpc.comment, '  ')}  ${rpc.method}(${parameters}): ${answer}<types.${rpc.response}> {
    return this.#channel.${send}(${method}, request, options);
  }
`;
}
