// One question for the usage of everything, measured from outside.

import { setTimeout as delay } from 'node:timers/promises';
import { RuntimeServiceDefinition } from '../../api/cri/generated/services.ts';
import { SocketChannel } from '../../api/channel.ts';
import type { AnyRpcMethod } from '../../api/rpc.ts';
import { namedMsSince, threadTimes } from './threads.ts';
import type { Target } from './target.ts';

export const QUESTIONS = ['listContainerStats', 'listPodSandboxStats', 'listPodSandboxMetrics'] as const;
export type Question = (typeof QUESTIONS)[number];

/** As the daemon calls the thread that reads. */
const SAMPLER = 'davit-stats';
/** An answer may be this old; then it is read anew. */
const MAX_AGE_MS = 1000;
const ASK_EVERY_MS = 2;
const TIMEOUT_MS = 60_000;

export interface StatsSample {
  readonly wallMs: number;
  readonly bytes: number;
  /** Of the daemon and everything that it started. */
  readonly cpuMs: number;
  /** Of davit's main thread, and of the one that reads; absent for others. */
  readonly mainMs: number | undefined;
  readonly samplerMs: number | undefined;
}

/** A way to the daemon on which answers are not decoded: that would be the time of the asker. */
export class RawChannel implements Disposable {
  readonly #target: Target;
  readonly #channel: SocketChannel;

  constructor(target: Target, socket: string) {
    this.#target = target;
    this.#channel = new SocketChannel(socket);
  }

  /** Whether this daemon has an answer at all. */
  async knows(question: Question): Promise<boolean> {
    return await this.#ask(question).then(
      () => true,
      (error: unknown) => {
        if ((error as { code?: number }).code === 12) return false; // UNIMPLEMENTED
        throw error;
      },
    );
  }

  /** Asks for what nobody has asked for within the last second. */
  async measure(question: Question): Promise<StatsSample> {
    await delay(MAX_AGE_MS + 50);
    const { group, daemonPid } = this.#target;
    if (daemonPid === undefined || group === undefined) throw new Error('the daemon was not started here');
    const [cpuBefore, threads] = [group.usedMs(), threadTimes(daemonPid, SAMPLER)];
    const start = performance.now();
    const bytes = await this.#ask(question);
    const wallMs = performance.now() - start;
    const after = threadTimes(daemonPid, SAMPLER);
    const hasSampler = after.namedMs.size > 0;
    return {
      wallMs,
      bytes,
      cpuMs: group.usedMs() - cpuBefore,
      mainMs: hasSampler ? after.mainMs - threads.mainMs : undefined,
      samplerMs: hasSampler ? namedMsSince(threads, after) : undefined,
    };
  }

  /** The slowest answer to a small question (Version) while a great one is being answered. */
  async measureDelay(question: Question): Promise<number> {
    await delay(MAX_AGE_MS + 50);
    const answered = new AbortController();
    const slowest = this.#slowestAnswer(answered.signal);
    await this.#ask(question).finally(() => {
      answered.abort();
    });
    return await slowest;
  }

  [Symbol.dispose](): void {
    this.#channel[Symbol.dispose]();
  }

  async #slowestAnswer(answered: AbortSignal): Promise<number> {
    let slowest = 0;
    while (!answered.aborted) {
      const start = performance.now();
      await this.#target.client.version({ version: 'v1' }, { timeoutMs: TIMEOUT_MS });
      slowest = Math.max(slowest, performance.now() - start);
      await delay(ASK_EVERY_MS);
    }
    return slowest;
  }

  /** @returns the size of the answer */
  async #ask(question: Question): Promise<number> {
    const method: AnyRpcMethod = RuntimeServiceDefinition[question];
    const raw = { ...method, responseDeserialize: (bytes: Buffer) => bytes.length };
    return await this.#channel.unary(raw, {}, { timeoutMs: TIMEOUT_MS });
  }
}
