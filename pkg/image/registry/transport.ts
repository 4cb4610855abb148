// Single HTTP requests: connections per host, timeouts, redirects. What authenticates us to one host never
// reaches another.

import type { Dispatcher } from 'undici';
import { createDispatcher, loadUndici } from './dispatcher.ts';
import { HostFailure, unreachable } from './failure.ts';
import type { RegistryHost } from './hosts.ts';
import { proxyFor, type ProxySettings } from './proxy.ts';

const MAX_REDIRECTS = 5;

export type Headers = Readonly<Record<string, string | string[]>>;
export type Response = Pick<Dispatcher.ResponseData, 'statusCode' | 'headers' | 'body'>;

export interface HttpRequest {
  readonly url: string;
  readonly method?: 'GET' | 'HEAD' | 'POST';
  /** Also for hosts that it redirects to. */
  readonly headers?: Headers;
  /** Only for the host of `url`. */
  readonly privateHeaders?: Headers;
  readonly body?: string;
  readonly signal: AbortSignal;
}

/** The connections to one registry host, kept open between requests. */
export class Transport implements AsyncDisposable {
  readonly #host: RegistryHost;
  readonly #proxies: ProxySettings | undefined;
  /** By what tells them apart: whether they show who we are, and the proxy. */
  readonly #dispatchers = new Map<string, Promise<Dispatcher>>();

  constructor(host: RegistryHost, proxies?: ProxySettings) {
    this.#host = host;
    this.#proxies = proxies;
  }

  /**
   * @throws {HostFailure} the host cannot be reached, or redirects where we do not go
   * @throws the reason of the signal
   */
  async send(wanted: HttpRequest): Promise<Response> {
    const origin = new URL(wanted.url).origin;
    let url = new URL(wanted.url);
    for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
      const response = await this.#sendOnce(wanted, url, origin);
      const location = response.headers['location'];
      if (!isRedirect(response.statusCode) || typeof location !== 'string') return response;
      await response.body.dump();
      url = this.#follow(url, location);
    }
    throw new HostFailure('unavailable', this.#host.origin, 'redirects too often');
  }

  async #sendOnce(wanted: HttpRequest, url: URL, origin: string): Promise<Response> {
    const { request } = await loadUndici();
    const own = url.origin === origin ? wanted.privateHeaders : undefined;
    const dispatcher = await this.#dispatcherFor(url);
    try {
      return await request(url, {
        dispatcher,
        method: wanted.method ?? 'GET',
        headers: { 'user-agent': 'davit', ...wanted.headers, ...own },
        body: wanted.body ?? null,
        signal: wanted.signal,
      });
    } catch (error) {
      wanted.signal.throwIfAborted();
      throw unreachable(url.origin, error);
    }
  }

  /** Whoever the host sends us to is trusted as it is, and not told who we are. */
  #dispatcherFor(url: URL): Promise<Dispatcher> {
    const proxy = this.#proxies === undefined ? undefined : proxyFor(url, this.#proxies);
    const isOwn = url.origin === this.#host.origin;
    const key = `${isOwn ? 'own' : 'other'} ${proxy ?? ''}`;
    const found = this.#dispatchers.get(key);
    if (found !== undefined) return found;
    const { tls, connectTimeoutMs } = this.#host;
    const made = createDispatcher({
      tls: isOwn ? tls : { ...tls, clients: [] },
      isPlain: url.protocol === 'http:',
      connectTimeoutMs,
      proxy,
    });
    this.#dispatchers.set(key, made);
    return made;
  }

  /** Never from https to http, and only to the web. */
  #follow(from: URL, location: string): URL {
    const to = URL.canParse(location, from.href) ? new URL(location, from.href) : undefined;
    const allowed = to?.protocol === 'https:' || (to?.protocol === 'http:' && from.protocol === 'http:');
    if (to === undefined || !allowed || to.username !== '' || to.password !== '') {
      throw new HostFailure(
        'failed_precondition',
        this.#host.origin,
        'redirects to a place that is not safe',
      );
    }
    return to;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const made of await Promise.allSettled(this.#dispatchers.values())) {
      if (made.status === 'fulfilled') await made.value.destroy();
    }
  }
}

function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status);
}
