// One blob from several hosts: a connection that breaks is taken up where it broke, and a host that fails or
// crawls is left for the next.

import { Fault } from '../../base/fault.ts';
import type { Descriptor } from '../manifest.ts';
import { release } from '../release.ts';
import { piecesOf } from './body-pieces.ts';
import { HostFailure, toFault, unreachable } from './failure.ts';
import { RateGuard, TooSlow, type MinRate } from './rate-guard.ts';
import { MAX_RETRIES, pause } from './retry.ts';
import type { Response } from './transport.ts';

/** A connection may break so often; one that breaks with every few bytes is no connection. */
const MAX_BREAKS = 100;

export interface BlobHost {
  /** For messages. */
  readonly origin: string;
  /** @returns a response of 2xx, from `offset` on if it is 206 */
  open(offset: number): Promise<Response>;
  /** It failed: others go first from now on. */
  leave(): void;
}

export interface DownloadOptions {
  /** For messages: `blob "sha256:…" of "docker.io/library/busybox:latest"` */
  readonly what: string;
  /** Of hosts that are not asked any more. */
  readonly earlier: readonly HostFailure[];
  /** The origin of the host whose word decides, see `toFault()`. */
  readonly decisive: string | undefined;
  readonly minRate: MinRate | undefined;
  /** Before the first retry; it doubles with each further one. */
  readonly retryDelayMs: number;
  readonly signal: AbortSignal;
}

/** How far the download has come, over all hosts. */
interface Progress {
  readonly descriptor: Descriptor;
  received: number;
}

/**
 * Each piece is good until the next is asked for.
 *
 * @param hosts in the order to ask them in
 * @throws {Fault} with what each host said; the reason of the signal
 */
export async function* downloadBlob(
  hosts: readonly BlobHost[],
  descriptor: Descriptor,
  options: DownloadOptions,
): AsyncGenerator<Buffer> {
  const progress: Progress = { descriptor, received: 0 };
  const failures = new Map<BlobHost, HostFailure>();
  const minRate = hosts.length > 1 ? options.minRate : undefined;
  const queue = hosts.map((host) => ({ host, minRate }));
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { host } = next;
    const failure = yield* fromHost(host, progress, { ...options, minRate: next.minRate });
    if (failure === undefined) return;
    if (failure.code === 'unavailable') host.leave();
    failures.delete(host); // its last word counts, in the order of asking
    failures.set(host, failure);
    if (failure.cause instanceof TooSlow) queue.push({ host, minRate: undefined }); // better slow than never
  }
  throw toFault(options.what, [...options.earlier, ...failures.values()], options.decisive);
}

/** @returns why the host gives no more; `undefined` when the blob is complete */
async function* fromHost(
  host: BlobHost,
  progress: Progress,
  { minRate, retryDelayMs, signal }: DownloadOptions,
): AsyncGenerator<Buffer, HostFailure | undefined> {
  const guard = minRate === undefined ? undefined : new RateGuard(minRate);
  let inARow = 0;
  for (let breaks = 1; ; breaks++) {
    const before = progress.received;
    try {
      yield* counted(await host.open(before), progress, { origin: host.origin, guard });
      return undefined;
    } catch (error) {
      signal.throwIfAborted();
      const failure = toHostFailure(error, host.origin, progress);
      inARow = progress.received > before ? 1 : inARow + 1;
      if (failure.retryAfterMs === undefined || inARow > MAX_RETRIES || breaks >= MAX_BREAKS) return failure;
      await pause(Math.max(failure.retryAfterMs, retryDelayMs * 2 ** (inARow - 1)), signal);
    }
  }
}

/** The body from where we are on, also if the host does not do ranges. */
async function* counted(
  { statusCode, body }: Response,
  progress: Progress,
  { origin, guard }: { readonly origin: string; readonly guard: RateGuard | undefined },
): AsyncGenerator<Buffer> {
  const { size } = progress.descriptor;
  let skip = statusCode === 206 ? 0 : progress.received;
  for await (const chunk of guard?.watch(body) ?? piecesOf(body)) {
    const piece = chunk.subarray(skip);
    skip -= chunk.length - piece.length;
    if (progress.received + piece.length > size) {
      throw new HostFailure('data_loss', origin, `gives more than the ${size} bytes that it should have`);
    }
    progress.received += piece.length;
    if (piece.length > 0) yield piece;
    release(chunk);
  }
  if (progress.received < size) throw truncated(origin, progress);
}

/** It ended well, and too early: whoever stands in between may have cut it. */
function truncated(origin: string, { received, descriptor }: Progress): HostFailure {
  const text = `it is truncated, ${received} of ${descriptor.size} bytes came`;
  return new HostFailure('data_loss', origin, text, { retryAfterMs: 0 });
}

function toHostFailure(error: unknown, origin: string, { received, descriptor }: Progress): HostFailure {
  if (error instanceof HostFailure) return error;
  if (error instanceof Fault) return new HostFailure(error.code, origin, error.message, { cause: error });
  const { message } = unreachable(origin, error);
  const text = `broke off after ${received} of ${descriptor.size} bytes: ${message}`;
  const retryAfterMs = error instanceof TooSlow ? undefined : 0;
  return new HostFailure('unavailable', origin, text, { cause: error, retryAfterMs });
}
