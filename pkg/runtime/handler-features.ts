// What each runtime handler can do, by its own account and the kernel's. Asked once, when somebody wants to know.

import * as z from 'zod';
import type { Call } from '../base/call.ts';
import type { RuntimeHandler, RuntimeHandlers } from './handlers.ts';
import type { OciCli } from './runtime-cli.ts';

export interface HandlerFeatures {
  /** Whether a mount can be read-only with everything below it. */
  readonly recursiveReadonlyMounts: boolean;
  /** Whether pods may have users of their own. */
  readonly userNamespaces: boolean;
  /** Whether network devices of the node can be moved into a container. */
  readonly networkDevices: boolean;
}

export interface FeatureFinderOptions {
  readonly handlers: Pick<RuntimeHandlers, 'get'>;
  readonly cli: Pick<OciCli, 'features'>;
  readonly kernel: KernelFeatures;
}

/** What the kernel and the file system of the images allow any handler. */
export type KernelFeatures = Omit<HandlerFeatures, 'networkDevices'>;

/** The part of the answer that we read. Source: features.md of the OCI runtime specification. */
const answerSchema = z.object({
  mountOptions: z.array(z.string()).default([]),
  linux: z
    .object({
      namespaces: z.array(z.string()).default([]),
      netDevices: z.object({ enabled: z.boolean().nullish() }).optional(),
    })
    .optional(),
});

const NONE: HandlerFeatures = {
  recursiveReadonlyMounts: false,
  userNamespaces: false,
  networkDevices: false,
};

export class FeatureFinder {
  readonly #options: FeatureFinderOptions;
  readonly #known = new Map<string, HandlerFeatures>();

  constructor(options: FeatureFinderOptions) {
    this.#options = options;
  }

  /**
   * A program that does not say is taken to do nothing special; one that cannot be asked now is asked again.
   *
   * @param name '' for the default handler
   * @throws {Fault} invalid_argument — there is no such handler
   */
  async find(call: Call, name: string): Promise<HandlerFeatures> {
    const handler = this.#options.handlers.get(name);
    const known = this.#known.get(handler.name);
    if (known !== undefined) return known;
    const found = await this.#ask(call, handler);
    if (found === undefined) return NONE;
    this.#known.set(handler.name, found);
    return found;
  }

  async #ask(call: Call, handler: RuntimeHandler): Promise<HandlerFeatures | undefined> {
    try {
      const { data } = answerSchema.safeParse(await this.#options.cli.features(call, handler));
      return data === undefined ? NONE : toFeatures(this.#options.kernel, data);
    } catch (err) {
      call.signal.throwIfAborted();
      call.log.warn({ handler: handler.name, err }, 'runtime cannot be asked for its features');
      return undefined;
    }
  }
}

function toFeatures(
  kernel: KernelFeatures,
  { mountOptions, linux }: z.output<typeof answerSchema>,
): HandlerFeatures {
  return {
    recursiveReadonlyMounts: kernel.recursiveReadonlyMounts && mountOptions.includes('rro'),
    userNamespaces: kernel.userNamespaces && (linux?.namespaces.includes('user') ?? false),
    networkDevices: linux?.netDevices?.enabled === true,
  };
}
