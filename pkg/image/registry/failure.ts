// Why one host did not give what was asked of it, and what that means to who asked.

import { Fault, type FaultCode } from '../../base/fault.ts';

export interface HostFailureOptions {
  readonly cause?: unknown;
  /** Set if the same host may do better in so long, or sooner. Milliseconds. */
  readonly retryAfterMs?: number | undefined;
}

/** Of one host. Another one may do better. */
export class HostFailure extends Error {
  override readonly name = 'HostFailure';
  readonly code: FaultCode;
  readonly origin: string;
  readonly retryAfterMs: number | undefined;

  /** @param text without the host: `answered 404` */
  constructor(code: FaultCode, origin: string, text: string, options: HostFailureOptions = {}) {
    super(text, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.origin = origin;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** The connection could not be made, or broke. */
export function unreachable(origin: string, cause: unknown): HostFailure {
  const retryAfterMs = BROKE.has(codeOf(cause)) ? 0 : undefined;
  return new HostFailure('unavailable', origin, describeNetworkError(cause), { cause, retryAfterMs });
}

/** There was a connection, so there is someone to ask again. */
const BROKE: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** An answer other than 2xx. Bodies of errors are not shown: anyone may have written them. */
export function refused(origin: string, status: number, retryAfterMs = 0): HostFailure {
  if (status === 404) return new HostFailure('not_found', origin, 'answered 404');
  if (status === 401 || status === 403) {
    return new HostFailure('failed_precondition', origin, `access denied (${status})`);
  }
  if (status === 416)
    return new HostFailure('data_loss', origin, 'it is truncated: nothing follows what came (416)');
  if (status === 501) return new HostFailure('unavailable', origin, 'answered 501');
  if (status === 429 || status >= 500) {
    return new HostFailure('unavailable', origin, `answered ${status}`, { retryAfterMs });
  }
  return new HostFailure('failed_precondition', origin, `answered ${status}`);
}

/**
 * One fault for all that was tried.
 *
 * @param what was wanted: `image "docker.io/library/busybox:latest"`
 * @param decisive the registry itself: the code is its, whenever it was asked
 */
export function toFault(what: string, all: readonly HostFailure[], decisive: string | undefined): Fault {
  const failures = all.toSorted((a, b) => Number(a.origin === decisive) - Number(b.origin === decisive));
  const last = failures.at(-1);
  if (last === undefined) {
    return new Fault('failed_precondition', `cannot pull ${what}: no host is configured that may serve it`);
  }
  const tried = failures.map(({ origin, message }) => `"${origin}": ${message}`).join('; ');
  const detail = { host: last.origin };
  const doing = last.code === 'not_found' ? 'find' : 'pull';
  const prefix = last.code === 'unavailable' ? 'RegistryUnavailable: ' : ''; // the kubelet looks for it
  return new Fault(last.code, `${prefix}cannot ${doing} ${what}: ${tried}`, { detail, cause: last });
}

/** `connect ECONNREFUSED 127.0.0.1:5000`: the innermost error that says something. */
function describeNetworkError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof AggregateError && error.errors.length > 0)
    return describeNetworkError(error.errors.at(-1));
  if (error.cause instanceof Error && error.message === 'fetch failed')
    return describeNetworkError(error.cause);
  return error.message === '' ? error.name : error.message;
}
