// Sends spans to a collector, as OTLP over HTTP in JSON, in batches and in the background: a collector that is slow or
// away costs spans, and nothing else. Source: OpenTelemetry protocol specification, "OTLP/HTTP".

import type { Log } from '../base/call.ts';
import { Fault } from '../base/fault.ts';

/** Ids are lower-case hexadecimal, 16 and 8 bytes; times are milliseconds since the Unix epoch, with fractions. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string | undefined;
  readonly name: string;
  /** Whether it answers a call from outside. */
  readonly isServer: boolean;
  readonly startedAtMs: number;
  readonly tookMs: number;
  readonly attributes: Readonly<Record<string, string>>;
  /** What went wrong, in a word; absent when nothing did. */
  readonly error?: string | undefined;
}

export interface SpanExporterOptions {
  /** `http://127.0.0.1:4318/v1/traces` */
  readonly endpoint: string;
  readonly version: string;
  readonly log: Log;
  /** How long spans wait for others to go with them. */
  readonly intervalMs?: number;
}

const INTERVAL_MS = 5000;
const TIMEOUT_MS = 10_000;
/** What is more is dropped until some have gone. */
const MAX_WAITING = 4096;
const MAX_BATCH = 512;

export class SpanExporter implements AsyncDisposable {
  readonly #options: SpanExporterOptions;
  #waiting: Span[] = [];
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> | undefined;
  #isFailing = false;

  constructor(options: SpanExporterOptions) {
    this.#options = options;
  }

  add(spans: readonly Span[]): void {
    this.#waiting.push(...spans.slice(0, MAX_WAITING - this.#waiting.length));
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#sending ??= this.#send().finally(() => (this.#sending = undefined));
    }, this.#options.intervalMs ?? INTERVAL_MS).unref();
  }

  /** Sends what waits, once. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer);
    await this.#sending;
    await this.#send();
  }

  /** Never rejects. What cannot be sent is dropped, and the log says so once until it works again. */
  async #send(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MAX_BATCH);
      try {
        await this.#post(JSON.stringify(toOtlp(batch, this.#options.version)));
        this.#isFailing = false;
      } catch (thrown) {
        const spans = batch.length + this.#waiting.length;
        this.#waiting = [];
        if (!this.#isFailing)
          this.#options.log.warn({ err: Fault.from(thrown), spans }, 'traces are not taken');
        this.#isFailing = true;
      }
    }
  }

  async #post(body: string): Promise<void> {
    const { endpoint } = this.#options;
    const response = await fetch(endpoint, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    await response.body?.cancel(); // whatever it says, its status says enough
    if (!response.ok) {
      throw new Fault('unavailable', `cannot send traces to "${endpoint}": status ${response.status}`);
    }
  }
}

const KIND_INTERNAL = 1;
const KIND_SERVER = 2;
const STATUS_ERROR = 2;

function toOtlp(spans: readonly Span[], version: string): object {
  const resource = { attributes: toAttributes({ 'service.name': 'davit', 'service.version': version }) };
  return {
    resourceSpans: [{ resource, scopeSpans: [{ scope: { name: 'davit' }, spans: spans.map(toSpan) }] }],
  };
}

function toSpan({ startedAtMs, tookMs, isServer, attributes, error, ...same }: Span): object {
  return {
    ...same,
    kind: isServer ? KIND_SERVER : KIND_INTERNAL,
    startTimeUnixNano: toNano(startedAtMs),
    endTimeUnixNano: toNano(startedAtMs + tookMs),
    attributes: toAttributes(attributes),
    status: error === undefined ? {} : { code: STATUS_ERROR, message: error },
  };
}

function toNano(ms: number): string {
  return String(BigInt(Math.round(ms * 1000)) * 1000n);
}

function toAttributes(values: Readonly<Record<string, string>>): object[] {
  return Object.entries(values).map(([key, value]) => ({ key, value: { stringValue: value } }));
}
