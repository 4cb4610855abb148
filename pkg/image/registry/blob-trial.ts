// How one blob was tried to be had in one pull: who gave bytes of it, and whose were wrong. Those are not asked for it
// again.

import type { Fault } from '../../base/fault.ts';
import { HostFailure } from './failure.ts';

export class BlobTrial<Host extends { readonly origin: string }> {
  /** Of the last attempt. */
  readonly #givers = new Set<Host>();
  readonly #wrong = new Map<Host, HostFailure>();
  /** The last attempt ended with a failure that says all. */
  hasFailed = false;

  /** Why hosts are no longer asked. */
  get failures(): HostFailure[] {
    return [...this.#wrong.values()];
  }

  /** Begins an attempt. @returns those of the hosts that may be asked */
  begin(hosts: readonly Host[]): Host[] {
    this.#givers.clear();
    this.hasFailed = false;
    return hosts.filter((host) => !this.#wrong.has(host));
  }

  gave(host: Host): void {
    this.#givers.add(host);
  }

  /**
   * What came is wrong. Of several that gave parts of it nobody knows whose was, so if nobody else is left, the last
   * is heard once more, alone.
   *
   * @param hosts all that may be asked, the one whose word decides last
   * @returns those that are not asked for it again
   */
  blame(hosts: readonly Host[], why: Fault): Host[] {
    const givers = hosts.filter((host) => this.#givers.has(host));
    const isAnyLeft = hosts.some((host) => !this.#givers.has(host) && !this.#wrong.has(host));
    const blamed = isAnyLeft || givers.length < 2 ? givers : givers.slice(0, -1);
    for (const host of blamed) {
      this.#wrong.set(host, new HostFailure(why.code, host.origin, why.message, { cause: why }));
    }
    return blamed;
  }
}
