// The one error type that crosses package borders. Everything a caller may want to
// react to is in `code`; everything a human may want to read is in `message` and `detail`.

/** Why an operation failed, in the words of the canonical gRPC codes. */
export const FAULT_CODES = [
  'cancelled',
  'invalid_argument',
  'deadline_exceeded',
  'not_found',
  'already_exists',
  'resource_exhausted',
  'failed_precondition',
  'aborted',
  'unimplemented',
  'internal',
  'unavailable',
  'data_loss',
] as const;

export type FaultCode = (typeof FAULT_CODES)[number];

export type FaultDetail = Readonly<Record<string, string | number | boolean>>;

export class Fault extends Error {
  override readonly name = 'Fault';
  readonly code: FaultCode;
  readonly detail: FaultDetail;

  /** @param message what could not be done, lower case, no full stop: `cannot start container "c1"` */
  constructor(code: FaultCode, message: string, options: { detail?: FaultDetail; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.detail = options.detail ?? {};
  }

  /**
   * Turns anything thrown into a Fault without losing it: a Fault is returned as it is,
   * an abort becomes `cancelled` or `deadline_exceeded`, a full disk or too many open files `resource_exhausted`,
   * a file system that is read-only `failed_precondition`, the rest `internal`.
   */
  static from(thrown: unknown): Fault {
    if (thrown instanceof Fault) return thrown;
    if (thrown instanceof AggregateError && thrown.errors.length > 0) {
      const first = Fault.from(thrown.errors[0]); // what went wrong first; the rest is about cleaning up
      return new Fault(first.code, `${first.message} (${thrown.message})`, {
        detail: first.detail,
        cause: thrown,
      });
    }
    return thrown instanceof Error
      ? fromError(thrown)
      : new Fault('internal', String(thrown), { cause: thrown });
  }

  static is(thrown: unknown, code: FaultCode): thrown is Fault {
    return thrown instanceof Fault && thrown.code === code;
  }
}

/** What the system says of a full disk, or of a user's share of it; of descriptors; of a disk not to be written to. */
const CODES: ReadonlyMap<unknown, FaultCode> = new Map([
  ['ENOSPC', 'resource_exhausted'],
  ['EDQUOT', 'resource_exhausted'],
  ['EMFILE', 'resource_exhausted'],
  ['ENFILE', 'resource_exhausted'],
  ['EROFS', 'failed_precondition'],
]);

function fromError(cause: Error): Fault {
  if (cause.name === 'AbortError') return new Fault('cancelled', 'the caller went away', { cause });
  if (cause.name === 'TimeoutError') return new Fault('deadline_exceeded', 'the deadline passed', { cause });
  const code = 'code' in cause ? CODES.get(cause.code) : undefined;
  return new Fault(code ?? 'internal', cause.message, { cause });
}

export function notFound(kind: string, id: string): Fault {
  return new Fault('not_found', `cannot find ${kind} "${id}"`, { detail: { kind, id } });
}
