// The network that a node gets when its operator wants none in particular: a bridge on this node alone.

export interface BridgeNetwork {
  /** `davit` */
  readonly name: string;
  /** The bridge's interface; at most 15 characters. */
  readonly bridge: string;
  /** `10.88.0.0/16` */
  readonly subnet: string;
  /** `fd88::/64`: a second address, of the other family, for each pod. */
  readonly secondSubnet?: string;
  /** Whether pods reach the world under the node's address; costs some 16 ms per pod. */
  readonly ipMasq: boolean;
  /** Where addresses given out are noted; an own directory, so that no other runtime's are touched. */
  readonly dataDir: string;
}

/**
 * A conflist of the plugins `bridge`, `host-local` and `portmap`, which every distribution packages.
 *
 * @returns JSON, to be written to a file whose name ends in `.conflist`
 */
export function defaultBridgeConflist(network: BridgeNetwork): object {
  const { name, bridge, subnet, secondSubnet, ipMasq, dataDir } = network;
  const subnets = secondSubnet === undefined ? [subnet] : [subnet, secondSubnet];
  return {
    cniVersion: '1.0.0',
    name,
    plugins: [
      {
        type: 'bridge',
        bridge,
        isGateway: true,
        ipMasq,
        hairpinMode: true,
        ipam: {
          type: 'host-local',
          dataDir,
          ranges: subnets.map((range) => [{ subnet: range }]),
          routes: subnets.map((range) => ({ dst: range.includes(':') ? '::/0' : '0.0.0.0/0' })),
        },
      },
      { type: 'portmap', capabilities: { portMappings: true }, snat: true },
    ],
  };
}
