// What URLs stand for: each is good for one connection, for a short time, and cannot be guessed.

import { randomBytes } from 'node:crypto';
import { Fault } from '../base/fault.ts';

export interface TokensOptions {
  readonly lifetimeMs: number;
  /** How many may wait to be used. */
  readonly maxPending: number;
  /** Milliseconds on a clock that only goes forward. */
  readonly now: () => number;
}

export class Tokens<T> {
  readonly #options: TokensOptions;
  /** In the order of their age. */
  readonly #pending = new Map<string, { readonly value: T; readonly expiresAtMs: number }>();

  constructor(options: TokensOptions) {
    this.#options = options;
  }

  /** @throws {Fault} resource_exhausted — too many are not used yet */
  issue(value: T): string {
    this.#expire();
    const { now, lifetimeMs, maxPending } = this.#options;
    if (this.#pending.size >= maxPending) {
      throw new Fault('resource_exhausted', `${maxPending} streams wait for their clients`);
    }
    const token = randomBytes(32).toString('base64url');
    this.#pending.set(token, { value, expiresAtMs: now() + lifetimeMs });
    return token;
  }

  /** What it stands for, once. */
  take(token: string): T | undefined {
    this.#expire();
    const found = this.#pending.get(token);
    this.#pending.delete(token);
    return found?.value;
  }

  #expire(): void {
    const now = this.#options.now();
    for (const [token, { expiresAtMs }] of this.#pending) {
      if (expiresAtMs > now) return;
      this.#pending.delete(token);
    }
  }
}
