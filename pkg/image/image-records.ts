// Which images are here and under which names. A name belongs to one image: given to another, the first loses
// it.

import { join } from 'node:path';
import { KeyedLock } from '../async/keyed-lock.ts';
import type { Log } from '../base/call.ts';
import type { ImageId } from '../base/id.ts';
import type { Database } from '../store/database.ts';
import { RecordCopies } from '../store/record-copies.ts';
import { RecordStore } from '../store/record-store.ts';
import { isDigest, type Digest } from './digest.ts';
import { imageCodec, type Image } from './image.ts';
import { parseReference, toRepoDigest, toRepoTag, type Reference } from './reference.ts';

const NEVER = new AbortController().signal;
const MIN_PREFIX_LENGTH = 4;

export class ImageRecords {
  readonly #db: Database;
  readonly #store: RecordStore<ImageId, Image>;
  /** Held around each commit: a name that moves changes two records. */
  readonly #commits = new KeyedLock<'commit'>();

  private constructor(db: Database, store: RecordStore<ImageId, Image>) {
    this.#db = db;
    this.#store = store;
  }

  /** @param root holds the copies of the records */
  static async open(db: Database, root: string, log: Log): Promise<ImageRecords> {
    const copies = await RecordCopies.open(join(root, 'records', 'image'), log);
    const options = { kind: 'image', codec: imageCodec, log, copies };
    return new ImageRecords(db, await RecordStore.load<ImageId, Image>(db, options));
  }

  list(): Image[] {
    return this.#store.list();
  }

  /** @param text an id with or without `sha256:`, a reference in any form, or four or more digits of an id */
  find(text: string): Image | undefined {
    const hex = text.replace(/^sha256:/, '');
    return (
      this.#store.find(`sha256:${hex}` as ImageId) ?? this.#findByReference(text) ?? this.#findByPrefix(hex)
    );
  }

  /** The image that a registry has under this digest, in whatever repository. */
  findByManifest(digest: Digest): Image | undefined {
    return this.list().find(({ repoDigests }) => repoDigests.some((known) => known.endsWith(`@${digest}`)));
  }

  /** Writes the image. What is known of it stays: names are added, and taken from other images. */
  async add(image: Image): Promise<Image> {
    using _guard = await this.#commits.acquire('commit', NEVER);
    const known = this.#store.find(image.id);
    const merged: Image = {
      ...(known ?? image),
      repoTags: union(known?.repoTags, image.repoTags),
      repoDigests: union(known?.repoDigests, image.repoDigests),
    };
    const losers = this.list().filter(
      ({ id, repoTags }) => id !== image.id && repoTags.some((tag) => image.repoTags.includes(tag)),
    );
    const lost = losers.map((loser) =>
      this.#store.putting({
        ...loser,
        repoTags: loser.repoTags.filter((tag) => !image.repoTags.includes(tag)),
      }),
    );
    await this.#db.commit(this.#store.putting(merged), ...lost);
    return merged;
  }

  async remove(id: ImageId): Promise<void> {
    using _guard = await this.#commits.acquire('commit', NEVER);
    await this.#store.remove(id);
  }

  #findByReference(text: string): Image | undefined {
    const reference = parseIfReference(text);
    if (reference === undefined) return undefined;
    const { digest } = reference; // it counts more than a tag: it cannot move
    if (digest !== undefined) {
      const name = toRepoDigest(reference, digest);
      return this.list().find(({ repoDigests }) => repoDigests.includes(name));
    }
    const tag = toRepoTag(reference);
    return tag === undefined ? undefined : this.list().find(({ repoTags }) => repoTags.includes(tag));
  }

  #findByPrefix(hex: string): Image | undefined {
    if (hex.length < MIN_PREFIX_LENGTH || !/^[0-9a-f]+$/.test(hex)) return undefined;
    return this.#store.findByPrefix(`sha256:${hex}`);
  }
}

function parseIfReference(text: string): Reference | undefined {
  if (isDigest(text)) return undefined;
  try {
    return parseReference(text);
  } catch {
    return undefined; // a text that is no reference names no image
  }
}

function union(a: readonly string[] = [], b: readonly string[]): string[] {
  return [...new Set([...a, ...b])].sort();
}
