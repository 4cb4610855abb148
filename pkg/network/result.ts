// What ADD answers, in any version of the specification, and what we keep of it.

import { isIP } from 'node:net';
import * as z from 'zod';
import { decode } from '../codec/decode.ts';
import { Fault } from '../base/fault.ts';
import { CNI_VERSIONS } from './cni-version.ts';
import type { NetworkConfigList } from './network-config.ts';
import { POD_INTERFACE } from './pod-attachment.ts';

const interfaceSchema = z.object({
  name: z.string(),
  mac: z.string().optional(),
  /** The namespace that it is in; empty or absent for one of the host. */
  sandbox: z.string().optional(),
});

/** The network of a pod as its record keeps it. */
export const networkResultSchema = z.object({
  cniVersion: z.enum(CNI_VERSIONS),
  /** The pod's addresses without prefix length, the primary one first; never empty. */
  ips: z.array(z.string()).min(1),
  interfaces: z.array(interfaceSchema),
  /** The answer of the last plugin as it is: CHECK and DEL want it back. */
  raw: z.unknown(),
});

export type NetworkResult = z.output<typeof networkResultSchema>;

/** `10.1.0.5/16` to `10.1.0.5` */
const address = z.string().transform((text, context) => {
  const [plain = '', prefix, ...rest] = text.split('/');
  if (isIP(plain) !== 0 && rest.length === 0 && (prefix === undefined || /^\d{1,3}$/.test(prefix)))
    return plain;
  context.addIssue({ code: 'custom', message: 'must be an address with a prefix length' });
  return z.NEVER;
});

/** Go writes an empty list as `null`. */
function list<Item extends z.ZodType>(item: Item) {
  return z
    .array(item)
    .nullish()
    .transform((items) => items ?? []);
}

const resultSchema = z.looseObject({
  interfaces: list(interfaceSchema),
  ips: list(z.object({ address, interface: z.int().nonnegative().nullish() })),
  /** Before 0.3.0 there was at most one address of each kind. */
  ip4: z.object({ ip: address }).nullish(),
  ip6: z.object({ ip: address }).nullish(),
});

type Result = z.output<typeof resultSchema>;

/**
 * Parses what a plugin wrote in answer to ADD.
 *
 * @param plugin names it in messages
 * @returns what the next plugin and the record get, with the version that it may have left out
 * @throws {Fault} internal — it is no result of a plugin
 */
export function parsePluginResult(list: NetworkConfigList, plugin: string, stdout: string): object {
  const what = `answer of plugin "${plugin}" in network "${list.name}"`;
  let json: unknown;
  try {
    json = JSON.parse(stdout);
  } catch (cause) {
    throw new Fault('internal', `cannot read ${what}: it is not JSON`, { cause });
  }
  decode(resultSchema, json, what, 'internal');
  return { cniVersion: list.cniVersion, ...(json as object) }; // an object, or decode() had thrown
}

/**
 * What we keep of the last plugin's answer.
 *
 * @throws {Fault} internal — no plugin gave the pod an address: the kubelet would make it anew for ever
 */
export function toNetworkResult(list: NetworkConfigList, raw: object): NetworkResult {
  const result = decode(resultSchema, raw, `result of network "${list.name}"`, 'internal');
  const ips = podAddresses(result);
  if (ips.length === 0) {
    const message = `network "${list.name}" ("${list.file}") gave the pod no address on "${POD_INTERFACE}"`;
    throw new Fault('internal', message, { detail: { network: list.name, file: list.file } });
  }
  return { cniVersion: list.cniVersion, ips, interfaces: result.interfaces, raw };
}

/** Those of `eth0`, and those of which no plugin said whose they are; not those of the host. */
function podAddresses({ interfaces, ips, ip4, ip6 }: Result): string[] {
  const own = ips.filter(
    ({ interface: index }) =>
      index === undefined || index === null || interfaces[index]?.name === POD_INTERFACE,
  );
  const old = [ip4, ip6].filter((entry) => entry !== undefined && entry !== null);
  return [...new Set([...own.map((entry) => entry.address), ...old.map((entry) => entry.ip)])];
}
