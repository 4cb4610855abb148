// Compares images with what was unpacked, for an operator, and fetches anew what is damaged.

import type { Call } from '../base/call.ts';
import { Fault, notFound } from '../base/fault.ts';
import type { Digest } from './digest.ts';
import type { Image } from './image.ts';
import type { Health, LayerReport } from './layer-health.ts';
import type { LayerStore } from './layer-store.ts';

export interface VerifiedLayer {
  readonly chainId: Digest;
  /** Those that have it. */
  readonly images: readonly Image[];
  /** `repaired`: it was damaged, and has been fetched again. */
  readonly health: Health | 'repaired';
  /** Of the damaged one, if it is repaired now. */
  readonly findings: LayerReport['findings'];
  /** Why it could not be fetched again; empty if it was, or nobody tried. */
  readonly failure: string;
}

/** Of the images of this node. */
interface ImageStore {
  list(): Image[];
  find(name: string): Image | undefined;
  pull(call: Call, request: { readonly reference: string }): Promise<Image>;
}

export class ImageVerification {
  readonly #images: ImageStore;
  readonly #layers: Pick<LayerStore, 'find' | 'health'>;

  constructor(images: ImageStore, layers: Pick<LayerStore, 'find' | 'health'>) {
    this.#images = images;
    this.#layers = layers;
  }

  /**
   * Looks at every layer of the images, one after the other.
   *
   * @param options.names of images; all, if there are none
   * @throws {Fault} not_found — there is no such image; internal — a layer could not be looked at
   */
  async *verify(
    call: Call,
    { names, repair }: { readonly names: readonly string[]; readonly repair: boolean },
  ): AsyncGenerator<VerifiedLayer> {
    const images = names.length === 0 ? this.#images.list() : names.map((name) => this.#get(name));
    for (const chainId of new Set(images.flatMap(({ chainIds }) => chainIds))) {
      if (this.#layers.find(chainId) === undefined) continue; // removed meanwhile
      const having = this.#images.list().filter(({ chainIds }) => chainIds.includes(chainId));
      const found = { chainId, images: having, ...(await this.#look(call, chainId)) };
      if (found.health !== 'damaged' || !repair) yield { ...found, failure: '' };
      else yield { ...found, ...(await this.#repair(call, found)) };
    }
  }

  async #look(call: Call, chainId: Digest): Promise<LayerReport> {
    return await this.#layers.health.verify(chainId, 'content', call.signal);
  }

  /** From any of the registries that its images came from: without credentials, since none are kept. */
  async #repair(
    call: Call,
    { chainId, images }: { readonly chainId: Digest; readonly images: readonly Image[] },
  ): Promise<Pick<VerifiedLayer, 'health' | 'failure'>> {
    const references = images.flatMap(({ repoDigests }) => repoDigests); // a tag may have moved
    const failures: string[] = [];
    for (const reference of references) {
      try {
        await this.#images.pull(call, { reference });
        const { health } = await this.#look(call, chainId);
        if (health === 'intact') return { health: 'repaired', failure: '' };
        failures.push(`${reference}: what came is ${health}`);
      } catch (error) {
        call.signal.throwIfAborted();
        failures.push(Fault.from(error).message);
      }
    }
    if (failures.length === 0) failures.push('none of its images came from a registry');
    return { health: 'damaged', failure: failures.join('; ') };
  }

  #get(name: string): Image {
    const image = this.#images.find(name);
    if (image === undefined) throw notFound('image', name);
    return image;
  }
}
