// Where the images of a registry are fetched from: containerd's `certs.d/HOST/hosts.toml`, mirrors first. It
// is read for every pull, so that changes need no restart.

import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { parse } from 'smol-toml';
import * as z from 'zod';
import { Fault } from '../../base/fault.ts';
import { decode } from '../../codec/decode.ts';
import { readTextIfExists } from '../../sys/files.ts';

export type Capability = 'pull' | 'resolve' | 'push';

/** One place to ask, and how. */
export interface RegistryHost {
  /** With the API's prefix, without a slash at the end: `https://mirror.example/v2`. */
  readonly baseUrl: string;
  /** For messages: `https://mirror.example`. */
  readonly origin: string;
  /** `mirror.example:5000` */
  readonly host: string;
  /** It stands in for another registry, and is told which. */
  readonly isMirror: boolean;
  readonly capabilities: ReadonlySet<Capability>;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly connectTimeoutMs: number;
  readonly tls: TlsOptions;
}

export interface TlsOptions {
  /** PEM, beside the roots of the system. */
  readonly ca: readonly string[];
  /** PEM; to show who we are. */
  readonly clients: readonly { readonly cert: string; readonly key: string }[];
  readonly skipVerify: boolean;
}

const CONNECT_TIMEOUT_MS = 30_000;
const ALL: readonly Capability[] = ['pull', 'resolve', 'push'];

const stringOrList = z
  .union([z.string(), z.array(z.string())])
  .transform((value) => (typeof value === 'string' ? [value] : value));

const client = z.union([
  z.string().transform((path) => [{ cert: path, key: path }]),
  z.array(
    z.union([
      z.string().transform((path) => ({ cert: path, key: path })),
      z.tuple([z.string(), z.string()]).transform(([cert, key]) => ({ cert, key: key === '' ? cert : key })),
    ]),
  ),
]);

const hostFields = {
  capabilities: z.array(z.enum(['pull', 'resolve', 'push'])).optional(),
  ca: stringOrList.optional(),
  client: client.optional(),
  skip_verify: z.boolean().default(false),
  override_path: z.boolean().default(false),
  header: z.record(z.string(), z.union([z.string(), z.array(z.string())])).default({}),
  dial_timeout: z
    .string()
    .regex(/^\d+(\.\d+)?(ms|s|m)$/, 'must be a duration such as "3s"')
    .optional(),
};

/** Fields that we do not know are left alone, as containerd does. */
const hostSchema = z.object(hostFields);
const hostsFileSchema = z.object({
  ...hostFields,
  server: z.string().optional(),
  host: z.record(z.string(), hostSchema).default({}),
});

type HostEntry = z.output<typeof hostSchema>;

/**
 * @param registry as in a reference: `docker.io`, `127.0.0.1:5000`
 * @param certsDirs the first that has a folder for the registry, or `_default`, counts
 * @returns mirrors in their order, the registry itself last
 * @throws {Fault} failed_precondition — a hosts.toml cannot be used, naming it
 */
export async function hostsOf(registry: string, certsDirs: readonly string[]): Promise<RegistryHost[]> {
  const path = await findHostsFile(registry, certsDirs);
  if (path === undefined) return [await toHost(upstreamUrl(registry), plainEntry, registry, '/')];
  const file = decode(hostsFileSchema, await readToml(path), `"${path}"`, 'failed_precondition');
  const hosts: RegistryHost[] = [];
  for (const [url, entry] of Object.entries(file.host)) hosts.push(await toHost(url, entry, registry, path));
  const { server, host: _, ...serverEntry } = file;
  hosts.push(await toHost(server ?? upstreamUrl(registry), serverEntry, registry, path));
  return hosts;
}

const plainEntry: HostEntry = hostSchema.parse({});

/** http is for loopback alone, unless a hosts.toml says otherwise. */
function upstreamUrl(registry: string): string {
  if (registry === 'docker.io') return 'https://registry-1.docker.io';
  return `${isLoopback(new URL(`https://${registry}`).hostname) ? 'http' : 'https'}://${registry}`;
}

/** @param hostname as in URL.hostname */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

async function findHostsFile(registry: string, certsDirs: readonly string[]): Promise<string | undefined> {
  const withoutColon = registry.replace(/:(\d+)$/, '_$1_'); // for file systems that refuse colons
  for (const name of [...new Set([withoutColon, registry]), '_default']) {
    for (const dir of certsDirs) {
      const path = join(dir, name, 'hosts.toml');
      if ((await readTextIfExists(path)) !== undefined) return path;
    }
  }
  return undefined;
}

async function readToml(path: string): Promise<unknown> {
  try {
    return parse(await readFile(path, 'utf8'));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Fault('failed_precondition', `cannot read "${path}": ${why}`, { cause });
  }
}

async function toHost(text: string, entry: HostEntry, registry: string, path: string): Promise<RegistryHost> {
  const url = toUrl(text, path);
  return {
    baseUrl: url.origin + apiPath(url.pathname, entry.override_path),
    origin: url.origin,
    host: url.host,
    isMirror: url.host !== new URL(upstreamUrl(registry)).host,
    capabilities: new Set(entry.capabilities ?? ALL),
    headers: entry.header,
    connectTimeoutMs: entry.dial_timeout === undefined ? CONNECT_TIMEOUT_MS : toMs(entry.dial_timeout),
    tls: await readTls(entry, path),
  };
}

function toUrl(text: string, path: string): URL {
  const withScheme = /^https?:\/\//.test(text) ? text : `https://${text}`;
  if (!URL.canParse(withScheme))
    throw new Fault('failed_precondition', `cannot use "${path}": "${text}" is no URL`);
  return new URL(withScheme);
}

function apiPath(pathname: string, overridePath: boolean): string {
  const path = pathname.replace(/\/+$/, '');
  return overridePath || path.endsWith('/v2') ? path : `${path}/v2`;
}

const UNIT_MS = { ms: 1, s: 1000, m: 60_000 } as const;

function toMs(duration: string): number {
  const unit = duration.endsWith('ms') ? 'ms' : duration.endsWith('s') ? 's' : 'm';
  return Number.parseFloat(duration) * UNIT_MS[unit];
}

/** Paths in a hosts.toml count from its folder. */
async function readTls(
  { ca = [], client: clients = [], skip_verify }: HostEntry,
  path: string,
): Promise<TlsOptions> {
  const read = async (file: string) => {
    try {
      return await readFile(resolve(dirname(path), file), 'utf8');
    } catch (cause) {
      throw new Fault('failed_precondition', `cannot use "${path}": cannot read "${file}"`, { cause });
    }
  };
  return {
    ca: await Promise.all(ca.map(read)),
    clients: await Promise.all(
      clients.map(async ({ cert, key }) => ({ cert: await read(cert), key: await read(key) })),
    ),
    skipVerify: skip_verify,
  };
}
