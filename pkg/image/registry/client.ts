// The pull side of the distribution API: manifests and blobs, from the first host that has them. What comes
// is verified by whoever asked for it; sizes are held to here.

import { timeOfDayMs } from '../../base/clock.ts';
import { Fault } from '../../base/fault.ts';
import type { BlobObserver, BlobSource } from '../blob-source.ts';
import { sha256Of, verifyDigest, type Digest } from '../digest.ts';
import type { Descriptor } from '../manifest.ts';
import { ACCEPTED_MANIFESTS } from '../media-types.ts';
import type { Reference } from '../reference.ts';
import { Authorizer } from './auth.ts';
import { downloadBlob, type BlobHost } from './blob-download.ts';
import { BlobTrial } from './blob-trial.ts';
import { readBody } from './body.ts';
import { toCredentials, type RegistryAuth } from './credentials.ts';
import { HostFailure, refused, toFault, unreachable } from './failure.ts';
import { hostsOf, type Capability, type RegistryHost } from './hosts.ts';
import type { ProxySettings } from './proxy.ts';
import type { MinRate } from './rate-guard.ts';
import { parseRetryAfter, withRetries } from './retry.ts';
import { Transport, type Response } from './transport.ts';

const MAX_MANIFEST_BYTES = 4 << 20;

export interface RegistryOptions {
  readonly certsDirs: readonly string[];
  /** Doubles with each further retry. Milliseconds. */
  readonly retryDelayMs?: number;
  /** A host that gives less is left for the next. Without it every host is waited for. */
  readonly minRate?: MinRate;
  /** As the environment has them; without it none are used. */
  readonly proxies?: ProxySettings;
}

/** What a registry has under a tag or digest. */
export interface FetchedManifest {
  readonly data: Buffer;
  readonly digest: Digest;
  readonly mediaType: string;
}

interface SessionOptions {
  readonly retryDelayMs: number;
  readonly minRate: MinRate | undefined;
}

interface Endpoint {
  readonly origin: string;
  readonly host: RegistryHost;
  readonly transport: Transport;
  readonly authorizer: Authorizer;
}

interface Asked {
  readonly path: string;
  readonly capability: Capability;
  readonly accept?: string;
  readonly offset?: number;
}

/** One repository, for the time of one pull: with one log-in, and its connections. */
export class RegistrySession implements BlobSource, AsyncDisposable {
  readonly kind = 'registry';
  readonly #reference: Reference;
  readonly #endpoints: readonly Endpoint[];
  readonly #options: SessionOptions;
  /** Those that could not be reached are asked last. */
  readonly #down = new Set<Endpoint>();
  readonly #trials = new Map<Digest, BlobTrial<Endpoint>>();

  private constructor(reference: Reference, endpoints: readonly Endpoint[], options: SessionOptions) {
    this.#reference = reference;
    this.#endpoints = endpoints;
    this.#options = options;
  }

  /** @throws {Fault} failed_precondition — a hosts.toml cannot be used; invalid_argument — `auth` cannot */
  static async open(
    { certsDirs, retryDelayMs = 500, minRate, proxies }: RegistryOptions,
    reference: Reference,
    auth: RegistryAuth | undefined,
  ): Promise<RegistrySession> {
    const hosts = await hostsOf(reference.registry, certsDirs);
    const endpoints = hosts.map((host): Endpoint => {
      const transport = new Transport(host, proxies);
      const authorizer = new Authorizer(transport, toCredentials(auth, host.host), host.origin);
      return { origin: host.origin, host, transport, authorizer };
    });
    return new RegistrySession(reference, endpoints, { retryDelayMs, minRate });
  }

  /**
   * @param target a tag or a digest
   * @throws {Fault} unavailable, not_found, failed_precondition (access denied), data_loss
   */
  async manifest(target: string, signal: AbortSignal): Promise<FetchedManifest> {
    const capability = target.includes(':') ? 'pull' : 'resolve';
    const asked: Asked = { path: `manifests/${target}`, capability, accept: ACCEPTED_MANIFESTS };
    return await this.#fromAnyHost(asked, signal, (endpoint) =>
      this.#askForManifest(endpoint, asked, signal),
    );
  }

  /**
   * The bytes of a blob, as they come. A connection that breaks is taken up again where it broke, with the same
   * host or the next. Each piece is good until the next is asked for.
   *
   * @throws {Fault} as `manifest()`; data_loss — it is longer or shorter than `descriptor` says
   */
  async *open(descriptor: Descriptor, signal: AbortSignal, observer?: BlobObserver): AsyncGenerator<Buffer> {
    const trial = this.#trialOf(descriptor.digest);
    const asked: Asked = { path: `blobs/${descriptor.digest}`, capability: 'pull' };
    const hosts = trial.begin(this.#able('pull')).map((endpoint): BlobHost => ({
      origin: endpoint.origin,
      open: async (offset) => {
        observer?.asked(endpoint.origin);
        const response = await this.#ask(endpoint, { ...asked, offset }, signal);
        trial.gave(endpoint);
        return response;
      },
      leave: () => this.#down.add(endpoint),
    }));
    const [what, decisive] = [this.#nameOf(descriptor.digest), this.#decisive('pull')];
    const options = { ...this.#options, what, earlier: trial.failures, decisive, signal };
    try {
      yield* downloadBlob(hosts, descriptor, options);
    } catch (error) {
      trial.hasFailed = true;
      throw error;
    }
  }

  reject(digest: Digest, why: Fault): Fault | undefined {
    const trial = this.#trialOf(digest);
    if (trial.hasFailed) return why;
    const able = this.#endpoints.filter(({ host }) => host.capabilities.has('pull'));
    for (const endpoint of trial.blame(able, why)) this.#down.add(endpoint);
    if (trial.failures.length < able.length) return undefined;
    return toFault(this.#nameOf(digest), trial.failures, this.#decisive('pull'));
  }

  #trialOf(digest: Digest): BlobTrial<Endpoint> {
    const trial = this.#trials.get(digest) ?? new BlobTrial<Endpoint>();
    this.#trials.set(digest, trial);
    return trial;
  }

  #nameOf(digest: Digest): string {
    return `blob "${digest}" of "${this.#reference.toString()}"`;
  }

  async #askForManifest(endpoint: Endpoint, asked: Asked, signal: AbortSignal): Promise<FetchedManifest> {
    const response = await this.#ask(endpoint, asked, signal);
    const data = await this.#readManifest(endpoint, response, signal);
    const mediaType = single(response.headers['content-type']);
    const target = asked.path.slice('manifests/'.length);
    return { data, mediaType, digest: verifiedDigest(data, target, response) };
  }

  async #readManifest(endpoint: Endpoint, { body }: Response, signal: AbortSignal): Promise<Buffer> {
    try {
      return await readBody(body, MAX_MANIFEST_BYTES, `manifest of "${this.#reference.toString()}"`);
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof Fault ? error : unreachable(endpoint.host.origin, error);
    }
  }

  /** Those that may be asked, in the order to ask them in. */
  #able(capability: Capability): Endpoint[] {
    const able = this.#endpoints.filter(({ host }) => host.capabilities.has(capability));
    const isDown = (endpoint: Endpoint) => this.#down.has(endpoint);
    return [...able.filter((endpoint) => !isDown(endpoint)), ...able.filter(isDown)];
  }

  /** The origin of the registry itself, if it may be asked; else of the last mirror. */
  #decisive(capability: Capability): string | undefined {
    return this.#endpoints.findLast(({ host }) => host.capabilities.has(capability))?.origin;
  }

  /** The first host's answer that is one; what each said if there is none. */
  async #fromAnyHost<T>(
    asked: Asked,
    signal: AbortSignal,
    ask: (endpoint: Endpoint) => Promise<T>,
  ): Promise<T> {
    const failures: HostFailure[] = [];
    for (const endpoint of this.#able(asked.capability)) {
      try {
        return await withRetries(() => ask(endpoint), this.#options.retryDelayMs, signal);
      } catch (error) {
        const failure = toHostFailure(error, endpoint);
        if (failure.code === 'unavailable') this.#down.add(endpoint);
        failures.push(failure);
      }
    }
    throw toFault(`image "${this.#reference.toString()}"`, failures, this.#decisive(asked.capability));
  }

  /** @returns a response of 2xx, its body not yet read */
  async #ask({ host, authorizer }: Endpoint, asked: Asked, signal: AbortSignal): Promise<Response> {
    const { repository, registry } = this.#reference;
    const url = new URL(`${host.baseUrl}/${repository}/${asked.path}`);
    if (host.isMirror) url.searchParams.set('ns', registry);
    const headers = {
      ...(asked.accept !== undefined && { accept: asked.accept }),
      ...(asked.offset !== undefined && asked.offset > 0 && { range: `bytes=${asked.offset}-` }),
    };
    const wanted = { url: url.href, headers, privateHeaders: host.headers, signal };
    const response = await authorizer.send(wanted, `repository:${repository}:pull`);
    const { statusCode } = response;
    if (statusCode >= 200 && statusCode < 300) return response;
    await response.body.dump();
    throw refused(
      host.origin,
      statusCode,
      parseRetryAfter(single(response.headers['retry-after']), timeOfDayMs()),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#endpoints.map(({ transport }) => transport[Symbol.asyncDispose]()));
  }
}

/** A fault that another host may not have; what is no fault of a host (an abort) is thrown on. */
function toHostFailure(error: unknown, { host }: Endpoint): HostFailure {
  if (error instanceof HostFailure) return error;
  if (error instanceof Fault)
    return new HostFailure(error.code, host.origin, error.message, { cause: error });
  throw error;
}

/** What came must be what was asked for, or what the registry itself says it is. */
function verifiedDigest(data: Buffer, target: string, { headers }: Response): Digest {
  const declared = single(headers['docker-content-digest']);
  const actual = sha256Of(data);
  const expected = target.includes(':') ? target : declared.startsWith('sha256:') ? declared : actual;
  verifyDigest(data, expected, 'manifest');
  return expected;
}

function single(header: string | string[] | undefined): string {
  return typeof header === 'string' ? header : (header?.[0] ?? '');
}
