// One RPC from its arrival to its outcome: the signal that tells when to give up, and what is logged and
// counted. Each RPC has one outcome, and it is logged here and nowhere else.

import { steadyMs, timeOfDayMs } from '../base/clock.ts';
import type { Call, Log } from '../base/call.ts';
import { Fault, type FaultCode } from '../base/fault.ts';
import { Timeline } from '../base/timeline.ts';
import type { Operation } from './operations.ts';
import type { FinishedRpc } from './rpc-spans.ts';
import { messageOf } from './status.ts';
import { subjectOf } from './subject.ts';

/** Told of every RPC when it is over; `code` is `ok` or the fault's, and `finished` tells more. */
export type ObserveRpc = (
  method: string,
  code: FaultCode | 'ok',
  tookMs: number,
  finished: () => FinishedRpc,
) => void;

export interface RpcContext {
  readonly log: Log;
  readonly observe: ObserveRpc;
  /** The RPCs under way. */
  readonly active: Set<IncomingRpc>;
}

/** What grpc-js has in common for all kinds of calls. */
export interface WireCall {
  on(event: 'cancelled', listener: () => void): unknown;
  getDeadline(): Date | number;
  readonly metadata: { get(key: string): readonly (string | Buffer)[] };
}

/** The kubelet asks these every second or so; its cAdvisor says Get. */
const ASKED_OFTEN = /^(List|Stream)|(Status|Stats)$|^(Version|RuntimeConfig|ImageFsInfo|Get)$/;

/** The caller cancels at its deadline, mostly a moment before our own count of it runs out. */
const DEADLINE_SLACK_MS = 100;

const LEVEL: Readonly<Record<FaultCode, 'debug' | 'info' | 'warn' | 'error'>> = {
  internal: 'error',
  data_loss: 'error',
  unavailable: 'warn',
  resource_exhausted: 'warn',
  cancelled: 'info',
  invalid_argument: 'info',
  deadline_exceeded: 'info',
  not_found: 'info',
  already_exists: 'info',
  failed_precondition: 'info',
  aborted: 'info',
  unimplemented: 'debug', // the kubelet tries what may be there, and tries again
};

/** Whoever looks into these wants to see where they come from. */
const OURS: ReadonlySet<FaultCode> = new Set<FaultCode>(['internal', 'data_loss']);

export class IncomingRpc {
  readonly call: Call;
  /** As the specification spells it: `RunPodSandbox`. */
  readonly method: string;
  readonly isStream: boolean;
  readonly #context: RpcContext;
  readonly #wire: WireCall;
  readonly #controller = new AbortController();
  readonly #startedAtMs = steadyMs();
  readonly #timeline = new Timeline();
  #request: unknown;

  constructor(
    context: RpcContext,
    method: { readonly originalName: string; readonly responseStream: boolean },
    wire: WireCall,
  ) {
    this.#context = context;
    this.#wire = wire;
    this.method = method.originalName;
    this.isStream = method.responseStream;
    this.call = { log: context.log, signal: this.#controller.signal, timeline: this.#timeline };
    context.active.add(this);
    wire.on('cancelled', () => {
      const late = timeOfDayMs() + DEADLINE_SLACK_MS >= Number(wire.getDeadline());
      this.abort(
        late
          ? new Fault('deadline_exceeded', 'the deadline of the caller passed')
          : new Fault('cancelled', 'the caller went away'),
      );
    });
  }

  /**
   * Reads the request, and remembers it while the RPC goes on.
   *
   * @throws {Fault} invalid_argument — the bytes are no such message
   */
  decode<Request>(method: RequestCodec<Request>, bytes: Buffer): Request {
    const request = decodeRequest(method, bytes);
    this.#request = request;
    return request;
  }

  /** For who asks what goes on. */
  describe(): Operation {
    const open = this.#timeline.openStages();
    return {
      method: this.method,
      subject: subjectOf(this.#request),
      startedAtMs: this.#startedAtMs,
      stage: open.at(-1),
      within: open.slice(0, -1),
      changedAtMs: this.#timeline.changedAtMs,
    };
  }

  /** Tells the handler to give up. */
  abort(reason: Fault): void {
    this.#controller.abort(reason);
  }

  succeeded(): void {
    const fields = this.#done('ok');
    if (ASKED_OFTEN.test(this.method)) this.#context.log.debug(fields, 'rpc');
    else this.#context.log.info(fields, 'rpc');
  }

  /** @returns what to answer */
  failed(thrown: unknown): Fault {
    const fault = this.#toFault(thrown);
    const { log } = this.#context;
    const fields = { ...fault.detail, ...this.#done(fault.code), error: messageOf(fault) };
    log[LEVEL[fault.code]](OURS.has(fault.code) ? { ...fields, err: fault } : fields, 'rpc');
    return fault;
  }

  /** What the system says of a file, or of a call to itself, tells nobody what could not be done. */
  #toFault(thrown: unknown): Fault {
    const fault = Fault.from(thrown);
    const first: unknown = thrown instanceof AggregateError ? thrown.errors[0] : thrown;
    if (!(first instanceof Error && 'syscall' in first)) return fault;
    const { code, detail, message } = fault;
    return new Fault(code, `cannot finish ${this.method}: ${message}`, { detail, cause: thrown });
  }

  #finished(): FinishedRpc {
    const [traceparent = ''] = this.#wire.metadata.get('traceparent');
    const { method, subject, startedAtMs } = this.describe();
    const stages = this.#timeline.stages();
    return { method, subject, startedAtMs, stages, traceparent: traceparent.toString() };
  }

  #done(outcome: FaultCode | 'ok'): { method: string; outcome: string; tookMs: number } {
    const tookMs = steadyMs() - this.#startedAtMs;
    this.#context.active.delete(this);
    this.#context.observe(this.method, outcome, tookMs, () => this.#finished());
    return { method: this.method, outcome, tookMs: Math.round(tookMs) };
  }
}

interface RequestCodec<Request> {
  readonly originalName: string;
  readonly requestDeserialize: (bytes: Buffer) => Request;
}

function decodeRequest<Request>(method: RequestCodec<Request>, bytes: Buffer): Request {
  try {
    return method.requestDeserialize(bytes);
  } catch (cause) {
    throw new Fault('invalid_argument', `cannot decode the request of "${method.originalName}"`, { cause });
  }
}
