// The OCI runtimes that a pod may be run with, by the names of its RuntimeClass.

import { join } from 'node:path';
import { Fault } from '../base/fault.ts';

export interface RuntimeHandler {
  readonly name: string;
  /** The program, an absolute path. */
  readonly path: string;
  /** Where the program keeps its state, one directory per container. */
  readonly root: string;
  /** Whether cgroups are made by systemd rather than by the program. */
  readonly systemdCgroup: boolean;
}

export interface HandlersConfig {
  readonly handlers: Readonly<Record<string, { readonly path: string }>>;
  /** Of pods that name none. */
  readonly defaultHandler: string;
  /** The daemon's run directory. */
  readonly runDir: string;
  readonly systemdCgroup: boolean;
}

export class RuntimeHandlers {
  readonly #byName: ReadonlyMap<string, RuntimeHandler>;
  readonly #defaultName: string;

  /** @throws {Fault} invalid_argument — the default handler is none of them */
  constructor({ handlers, defaultHandler, runDir, systemdCgroup }: HandlersConfig) {
    this.#byName = new Map(
      Object.entries(handlers).map(([name, { path }]) => [
        name,
        { name, path, root: join(runDir, 'runtime', name), systemdCgroup },
      ]),
    );
    this.#defaultName = defaultHandler;
    this.get('');
  }

  /**
   * @param name '' for the default
   * @throws {Fault} invalid_argument — there is no such handler
   */
  get(name: string): RuntimeHandler {
    const wanted = name === '' ? this.#defaultName : name;
    const handler = this.#byName.get(wanted);
    if (handler !== undefined) return handler;
    throw new Fault(
      'invalid_argument',
      `unknown runtime handler "${wanted}": there are ${this.names().join(', ')}`,
      { detail: { handler: wanted } },
    );
  }

  /** In the order of the configuration. */
  names(): string[] {
    return [...this.#byName.keys()];
  }
}
