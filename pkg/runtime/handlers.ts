// The OCI runtimes that a pod may be run with, by the names of its RuntimeClass.

import { join } from 'node:path';
import { Fault } from '../base/fault.ts';
import type { AnnotationRules } from './annotations.ts';

export interface RuntimeHandler {
  readonly name: string;
  /** The program, an absolute path. */
  readonly path: string;
  /** Where the program keeps its state, one directory per container. */
  readonly root: string;
  /** Whether cgroups are made by systemd rather than by the program. */
  readonly systemdCgroup: boolean;
  /** Arguments of the program itself, before its command. */
  readonly options: readonly string[];
  readonly annotations: AnnotationRules;
  /** Whether a privileged container gets no more devices than any other: where they mean nothing, as in a VM. */
  readonly privilegedWithoutHostDevices: boolean;
  /** Whether containers may make cgroups below their own. */
  readonly cgroupWritable: boolean;
}

/** As an operator writes it: '' and empty lists for what is not said. */
export interface HandlerConfig {
  readonly path: string;
  readonly root: string;
  readonly options: readonly string[];
  readonly allowed_annotations: readonly string[];
  readonly default_annotations: Readonly<Record<string, string>>;
  readonly privileged_without_host_devices: boolean;
  readonly cgroup_writable: boolean;
}

export interface HandlersConfig {
  readonly handlers: Readonly<Record<string, HandlerConfig>>;
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
      Object.entries(handlers).map(([name, config]) => [
        name,
        toHandler(config, { name, systemdCgroup, root: join(runDir, 'runtime', name) }),
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

  list(): RuntimeHandler[] {
    return [...this.#byName.values()];
  }

  /** In the order of the configuration. */
  names(): string[] {
    return [...this.#byName.keys()];
  }
}

function toHandler(
  config: HandlerConfig,
  { name, systemdCgroup, root }: Pick<RuntimeHandler, 'name' | 'systemdCgroup' | 'root'>,
): RuntimeHandler {
  return {
    name,
    path: config.path,
    root: config.root === '' ? root : config.root,
    systemdCgroup,
    options: config.options,
    annotations: { allowed: config.allowed_annotations, defaults: config.default_annotations },
    privilegedWithoutHostDevices: config.privileged_without_host_devices,
    cgroupWritable: config.cgroup_writable,
  };
}
