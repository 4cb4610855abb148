// The daemon's end of the thread that reads. It is started when something is asked, and ended when nothing has
// been for a while: on a node that nobody watches it costs nothing.

import { Worker } from 'node:worker_threads';
import { Fault } from '../base/fault.ts';
import { endWorker } from '../sys/end-worker.ts';
import type { FromWorker, Questions } from './messages.ts';

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (reason: Fault) => void;
}

/** The kubelet asks every 10 seconds or so. */
const IDLE_MS = 60_000;
/** Megabytes: it keeps nothing between questions. */
const LIMITS = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 64 };

export class ReaderThread implements AsyncDisposable {
  readonly #waiting = new Map<number, Waiting>();
  readonly #idleMs: number;
  #worker: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;
  #lastId = 0;

  constructor(idleMs: number = IDLE_MS) {
    this.#idleMs = idleMs;
  }

  get isRunning(): boolean {
    return this.#worker !== undefined;
  }

  /** @throws {Fault} unavailable — the thread has ended before it answered; internal — it could not answer */
  async ask<Kind extends keyof Questions>(
    kind: Kind,
    asked: Questions[Kind]['asked'],
  ): Promise<Questions[Kind]['answer']> {
    clearTimeout(this.#idle);
    const worker = (this.#worker ??= this.#start());
    const id = (this.#lastId += 1);
    const answered = new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
    });
    worker.postMessage({ id, kind, asked });
    // The worker answers each kind of question as Questions says; a message does not carry its type.
    return (await answered) as Questions[Kind]['answer'];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
  }

  #start(): Worker {
    const worker = new Worker(workerFile(), { name: 'davit-stats', resourceLimits: LIMITS, execArgv: [] });
    worker.unref(); // who asks keeps the process alive, or wants it to end
    worker.on('message', (message: FromWorker) => {
      this.#onAnswer(message);
    });
    worker.on('error', (cause) => {
      this.#onEnd(worker, cause);
    });
    worker.on('exit', () => {
      this.#onEnd(worker, undefined);
    });
    return worker;
  }

  #onAnswer(message: FromWorker): void {
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if ('failure' in message) waiting?.reject(new Fault('internal', `cannot read usage: ${message.failure}`));
    else waiting?.resolve(message.answer);
    if (this.#waiting.size > 0) return;
    this.#idle = setTimeout(() => void this.#end(), this.#idleMs).unref(); // ending cannot fail
  }

  /** What was asked and not answered never will be. */
  #onEnd(worker: Worker, cause: unknown): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) {
      reject(new Fault('unavailable', 'cannot read usage: the thread that reads it has ended', { cause }));
    }
  }

  /** Who asks next starts another, at once. */
  async #end(): Promise<void> {
    clearTimeout(this.#idle);
    const worker = this.#worker;
    if (worker === undefined) return;
    this.#onEnd(worker, undefined);
    await endWorker(worker);
  }
}

/** In the bundle it is beside the program, under its own name. */
function workerFile(): URL {
  const suffix = import.meta.url.endsWith('.ts') ? '.ts' : '.mjs';
  return new URL(`./stats-worker${suffix}`, import.meta.url);
}
