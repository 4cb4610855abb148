// The subprotocols of Kubernetes over WebSockets.

export interface CommandProtocol {
  readonly name: string;
  readonly version: number;
  readonly encoding: 'binary' | 'base64';
}

/** '': clients that name none. */
const COMMAND_PROTOCOLS: readonly CommandProtocol[] = [
  { name: 'v5.channel.k8s.io', version: 5, encoding: 'binary' },
  { name: 'v4.channel.k8s.io', version: 4, encoding: 'binary' },
  { name: 'v4.base64.channel.k8s.io', version: 4, encoding: 'base64' },
  { name: 'channel.k8s.io', version: 1, encoding: 'binary' },
  { name: 'base64.channel.k8s.io', version: 1, encoding: 'base64' },
  { name: '', version: 1, encoding: 'binary' },
];

/** How kubectl forwards ports: SPDY within a WebSocket. */
export const TUNNEL_PROTOCOL = 'SPDY/3.1+portforward.k8s.io';

/** The first that is known. @param offered by the client, the dearest first */
export function chooseCommandProtocol(offered: readonly string[]): CommandProtocol | undefined {
  const names = offered.length === 0 ? [''] : offered;
  for (const name of names) {
    const known = COMMAND_PROTOCOLS.find((protocol) => protocol.name === name);
    if (known !== undefined) return known;
  }
  return undefined;
}

const FORWARD_PROTOCOLS: readonly CommandProtocol[] = [
  { name: 'v4.channel.k8s.io', version: 4, encoding: 'binary' },
  { name: 'v4.base64.channel.k8s.io', version: 4, encoding: 'base64' },
  { name: '', version: 4, encoding: 'binary' },
];

/** As `chooseCommandProtocol()`, for ports whose connections are channels rather than streams of SPDY. */
export function chooseForwardProtocol(offered: readonly string[]): CommandProtocol | undefined {
  const names = offered.length === 0 ? [''] : offered;
  return FORWARD_PROTOCOLS.find(({ name }) => names.includes(name));
}
