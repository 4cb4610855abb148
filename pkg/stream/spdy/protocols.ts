// The subprotocols of Kubernetes over SPDY.

const COMMAND_PROTOCOLS = ['v4.channel.k8s.io', 'v3.channel.k8s.io', 'v2.channel.k8s.io', 'channel.k8s.io'];

export const FORWARD_PROTOCOL = 'portforward.k8s.io';

export interface SpdyProtocol {
  readonly name: string;
  readonly version: number;
}

/** The newest that both know. @param offered by the client; none are clients of long ago */
export function chooseCommandProtocol(offered: readonly string[]): SpdyProtocol | undefined {
  if (offered.length === 0) return { name: '', version: 1 };
  const index = COMMAND_PROTOCOLS.findIndex((name) => offered.includes(name));
  const name = COMMAND_PROTOCOLS[index];
  return name === undefined ? undefined : { name, version: COMMAND_PROTOCOLS.length - index };
}

export function chooseForwardProtocol(offered: readonly string[]): SpdyProtocol | undefined {
  if (offered.length > 0 && !offered.includes(FORWARD_PROTOCOL)) return undefined;
  return { name: offered.length === 0 ? '' : FORWARD_PROTOCOL, version: 1 };
}

/** For the answer that names them. */
export function namesFor(kind: 'exec' | 'attach' | 'portforward'): readonly string[] {
  return kind === 'portforward' ? [FORWARD_PROTOCOL] : COMMAND_PROTOCOLS;
}
