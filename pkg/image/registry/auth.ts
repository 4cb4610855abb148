// Logging in: basic, and the bearer tokens of the distribution specification. A token is kept for the pull
// it was fetched for, and fetched anew when it is refused.

import * as z from 'zod';
import { decode } from '../../codec/decode.ts';
import { parseJson } from '../manifest.ts';
import { readBody } from './body.ts';
import { parseChallenge, type Challenge } from './challenge.ts';
import type { Credentials } from './credentials.ts';
import { HostFailure, refused } from './failure.ts';
import { isLoopback } from './hosts.ts';
import type { HttpRequest, Response, Transport } from './transport.ts';

const MAX_TOKEN_BYTES = 1 << 20;

const tokenSchema = z.object({ token: z.string().optional(), access_token: z.string().optional() });

type BearerChallenge = Extract<Challenge, { kind: 'bearer' }>;

/** Authorizes the requests to one host. */
export class Authorizer {
  readonly #transport: Transport;
  readonly #credentials: Credentials;
  readonly #origin: string;
  /** The value of the header that worked last. */
  #authorization: string | undefined;

  constructor(transport: Transport, credentials: Credentials, origin: string) {
    this.#transport = transport;
    this.#credentials = credentials;
    this.#origin = origin;
    if (credentials.kind === 'bearer') this.#authorization = `Bearer ${credentials.token}`;
  }

  /**
   * Sends the request, and once more if the host asks us to log in.
   *
   * @param scope that a token must be for: `repository:library/busybox:pull`
   * @throws {HostFailure} as `Transport.send()`; or no token was to be had
   */
  async send(wanted: HttpRequest, scope: string): Promise<Response> {
    const used = this.#authorization;
    const response = await this.#transport.send(this.#authorized(wanted));
    if (response.statusCode !== 401) return response;
    const challenge = parseChallenge(response.headers['www-authenticate']);
    await response.body.dump();
    // Another request may have logged in meanwhile.
    if (this.#authorization === used)
      this.#authorization = await this.#answer(challenge, scope, wanted.signal);
    return await this.#transport.send(this.#authorized(wanted));
  }

  #authorized(wanted: HttpRequest): HttpRequest {
    if (this.#authorization === undefined) return wanted;
    return { ...wanted, privateHeaders: { ...wanted.privateHeaders, authorization: this.#authorization } };
  }

  async #answer(challenge: Challenge | undefined, scope: string, signal: AbortSignal): Promise<string> {
    const { kind } = this.#credentials;
    if (challenge?.kind === 'bearer' && kind !== 'bearer') {
      return `Bearer ${await this.#fetchToken(challenge, scope, signal)}`;
    }
    if (challenge?.kind === 'basic' && kind === 'password') return toBasic(this.#credentials);
    throw refused(this.#origin, 401);
  }

  async #fetchToken(challenge: BearerChallenge, scope: string, signal: AbortSignal): Promise<string> {
    const realm = this.#safeRealm(challenge.realm);
    const query = { service: challenge.service, scope: challenge.scope === '' ? scope : challenge.scope };
    const response = await this.#transport.send(this.#tokenRequest(realm, query, signal));
    if (response.statusCode !== 200) {
      await response.body.dump();
      throw refused(realm.origin, response.statusCode);
    }
    const what = `token of "${realm.origin}"`;
    const answer = parseJson(await readBody(response.body, MAX_TOKEN_BYTES, what), what);
    const { token, access_token: accessToken } = decode(tokenSchema, answer, what, 'unavailable');
    const found = token ?? accessToken ?? '';
    if (found === '') throw new HostFailure('unavailable', realm.origin, 'gave an empty token');
    return found;
  }

  #tokenRequest(realm: URL, query: Record<string, string>, signal: AbortSignal): HttpRequest {
    const credentials = this.#credentials;
    if (credentials.kind === 'identity') {
      const form = {
        grant_type: 'refresh_token',
        refresh_token: credentials.token,
        client_id: 'davit',
        ...query,
      };
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      const body = new URLSearchParams(form).toString();
      return { url: realm.href, method: 'POST', headers, body, signal };
    }
    for (const [name, value] of Object.entries(query)) if (value !== '') realm.searchParams.set(name, value);
    if (credentials.kind !== 'password') return { url: realm.href, signal };
    return { url: realm.href, privateHeaders: { authorization: toBasic(credentials) }, signal };
  }

  /** A registry names the place that gets the password: it must be as safe as the registry itself. */
  #safeRealm(realm: string): URL {
    const url = URL.canParse(realm) ? new URL(realm) : undefined;
    const plainAllowed = this.#origin.startsWith('http:') && isLoopback(new URL(this.#origin).hostname);
    if (url?.protocol === 'https:') return url;
    if (url?.protocol === 'http:' && plainAllowed && isLoopback(url.hostname)) return url;
    throw new HostFailure(
      'failed_precondition',
      this.#origin,
      `asks to log in at "${realm}", which is not safe`,
    );
  }
}

function toBasic({ username, password }: Extract<Credentials, { kind: 'password' }>): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
