// Those who only listen to containers whose input ends with the first client. conmon takes every connection that
// goes for that client, so that all listeners of a container share one, which stays as long as the container does.

import { Writable } from 'node:stream';
import { attachToConmon, type ConmonAttachment } from './conmon-attach.ts';

type OnOutput = Parameters<typeof attachToConmon>[1];

interface Shared {
  readonly connection: Promise<ConmonAttachment>;
  readonly listeners: Set<OnOutput>;
}

export class ConmonListeners {
  readonly #byId = new Map<string, Shared>();

  /** As `attachToConmon()`, but that nothing can be typed, and that the container does not notice an end. */
  async attach(
    location: { readonly id: string; readonly bundle: string },
    onOutput: OnOutput,
  ): Promise<ConmonAttachment> {
    const { connection, listeners } = this.#byId.get(location.id) ?? this.#open(location);
    const { ended } = await connection;
    const listen: OnOutput = (name, chunk) => {
      onOutput(name, chunk);
    };
    listeners.add(listen);
    return {
      stdin: new Writable({
        write: (_chunk, _encoding, done) => {
          done();
        },
      }),
      ended,
      [Symbol.asyncDispose]: async () => void listeners.delete(listen),
    };
  }

  #open(location: { readonly id: string; readonly bundle: string }): Shared {
    const listeners = new Set<OnOutput>();
    const connection = attachToConmon(location, (name, chunk) => {
      for (const listen of listeners) listen(name, chunk);
    });
    const forget = () => this.#byId.delete(location.id);
    connection.then(({ ended }) => ended.then(forget), forget);
    const shared = { connection, listeners };
    this.#byId.set(location.id, shared);
    return shared;
  }
}
