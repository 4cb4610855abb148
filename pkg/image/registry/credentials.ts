// What the kubelet gives us to log in with, in its many forms, as one of three.

import { createHash } from 'node:crypto';
import { Fault } from '../../base/fault.ts';

/** The kubelet's AuthConfig; what is not set is empty. */
export interface RegistryAuth {
  readonly username: string;
  readonly password: string;
  /** Base64 of `username:password`; counts if there is no username. */
  readonly auth: string;
  /** If set, the credentials are for this host alone. */
  readonly serverAddress: string;
  /** An OAuth2 refresh token. */
  readonly identityToken: string;
  /** A bearer token, used as it is. */
  readonly registryToken: string;
}

export type Credentials =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  | { readonly kind: 'identity'; readonly token: string }
  | { readonly kind: 'bearer'; readonly token: string };

const ANONYMOUS: Credentials = { kind: 'anonymous' };

/**
 * @param host that would receive them: `registry.example:5000`
 * @throws {Fault} invalid_argument — `auth` is not base64 of `username:password`
 */
export function toCredentials(auth: RegistryAuth | undefined, host: string): Credentials {
  if (auth === undefined || !isFor(auth.serverAddress, host)) return ANONYMOUS;
  if (auth.registryToken !== '') return { kind: 'bearer', token: auth.registryToken };
  if (auth.identityToken !== '') return { kind: 'identity', token: auth.identityToken };
  if (auth.username !== '') return { kind: 'password', username: auth.username, password: auth.password };
  return auth.auth === '' ? ANONYMOUS : decodeBasic(auth.auth);
}

/** Stands for the credentials in the key of shared work: who has others must not share its result. */
export function fingerprintOf(auth: RegistryAuth | undefined): string {
  if (auth === undefined) return '';
  const { username, password, auth: basic, serverAddress, identityToken, registryToken } = auth;
  const all = JSON.stringify([username, password, basic, serverAddress, identityToken, registryToken]);
  return createHash('sha256').update(all).digest('hex');
}

/** @param serverAddress a host or a URL; Docker Hub has several, by tradition */
function isFor(serverAddress: string, host: string): boolean {
  if (serverAddress === '') return true;
  const named = serverAddress.replace(/^https?:\/\//, '').split('/', 1)[0] ?? '';
  return named === host || (isDockerHub(named) && isDockerHub(host));
}

function isDockerHub(host: string): boolean {
  return host === 'docker.io' || host.endsWith('.docker.io');
}

function decodeBasic(auth: string): Credentials {
  const text = Buffer.from(auth, 'base64').toString();
  const colon = text.indexOf(':');
  if (colon < 0)
    throw new Fault('invalid_argument', 'cannot read the credentials: "auth" has no colon inside');
  const password = text.slice(colon + 1).replace(/\0+$/, ''); // some tools pad with zeros
  return { kind: 'password', username: text.slice(0, colon), password };
}
