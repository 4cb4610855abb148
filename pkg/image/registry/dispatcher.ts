// Connections to hosts: their timeouts, whom they trust, the proxy they go through.

import { readFile } from 'node:fs/promises';
import { createSecureContext, rootCertificates } from 'node:tls';
import type * as Undici from 'undici';
import type { Dispatcher } from 'undici';
import { isErrno } from '../../sys/errno.ts';
import type { TlsOptions } from './hosts.ts';

const HEADERS_TIMEOUT_MS = 60_000;
/** Between two pieces of a body. */
const BODY_TIMEOUT_MS = 60_000;
const MAX_CONNECTIONS_PER_ORIGIN = 16;

export interface ConnectionOptions {
  readonly tls: TlsOptions;
  /** Certificates are not needed. */
  readonly isPlain: boolean;
  readonly connectTimeoutMs: number;
  /** Its URL; it may contain a login for the proxy. */
  readonly proxy: string | undefined;
}

/** Not before the first pull: a daemon that pulls nothing is smaller by its 2 MiB and starts 17 ms sooner. */
export function loadUndici(): Promise<typeof Undici> {
  return import('undici');
}

/** Whoever makes one destroys it. */
export async function createDispatcher(options: ConnectionOptions): Promise<Dispatcher> {
  const { tls, isPlain, connectTimeoutMs, proxy } = options;
  const secureContext = isPlain && tls.ca.length === 0 ? undefined : await createContext(tls);
  const connect = {
    timeout: connectTimeoutMs,
    rejectUnauthorized: !tls.skipVerify,
    ...(secureContext !== undefined && { secureContext }),
  };
  const shared = {
    connections: MAX_CONNECTIONS_PER_ORIGIN,
    headersTimeout: HEADERS_TIMEOUT_MS,
    bodyTimeout: BODY_TIMEOUT_MS,
  };
  const { Agent, ProxyAgent } = await loadUndici();
  if (proxy === undefined) return new Agent({ ...shared, connect });
  return new ProxyAgent({ ...shared, uri: proxy, requestTls: connect });
}

/** Made once per host: reading some 150 certificates takes milliseconds. */
async function createContext({ ca, clients }: TlsOptions): Promise<ReturnType<typeof createSecureContext>> {
  return createSecureContext({
    ca: [...(await systemRoots()), ...ca],
    ...(clients.length > 0 && { cert: clients.map(({ cert }) => cert), key: clients.map(({ key }) => key) }),
  });
}

/** Where distributions keep the certificates that they trust: Debian, Fedora, Alpine. */
const ROOT_FILES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/cert.pem',
];

async function systemRoots(): Promise<readonly string[]> {
  for (const path of ROOT_FILES) {
    try {
      return [await readFile(path, 'utf8')];
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error;
    }
  }
  return rootCertificates;
}
