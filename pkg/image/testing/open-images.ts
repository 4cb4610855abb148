// An image store in a temporary directory, with a real database.

import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '../../base/testing/call.ts';
import type { ContainerId, ImageId } from '../../base/id.ts';
import { testCall } from '../../base/testing/call.ts';
import { Database } from '../../store/database.ts';
import { RecordCopies } from '../../store/record-copies.ts';
import { Images, type ImagesOptions } from '../images.ts';

export class TestImages implements AsyncDisposable {
  readonly dir: string;
  images: Images;
  #db: Database;
  #options: Partial<ImagesOptions>;

  private constructor(
    dir: string,
    opened: { db: Database; images: Images },
    options: Partial<ImagesOptions>,
  ) {
    this.dir = dir;
    this.#db = opened.db;
    this.images = opened.images;
    this.#options = options;
  }

  /** @param given what differs from what most tests want; it may depend on the directory */
  static async open(
    given: Partial<ImagesOptions> | ((dir: string) => Partial<ImagesOptions>) = {},
  ): Promise<TestImages> {
    const dir = await mkdtemp(join(tmpdir(), 'davit-test-images-'));
    const options = typeof given === 'function' ? given(dir) : given;
    return new TestImages(dir, await openIn(dir, options), options);
  }

  get root(): string {
    return join(this.dir, 'root');
  }

  /** As after a restart of the daemon. @param changed options that differ from now on */
  async reopen(changed: Partial<ImagesOptions> = {}): Promise<void> {
    await this.images.settle();
    await this.#db[Symbol.asyncDispose]();
    this.#options = { ...this.#options, ...changed };
    const opened = await openIn(this.dir, this.#options);
    this.#db = opened.db;
    this.images = opened.images;
  }

  /** As when a crash has cut off the removal of the image, once its record was gone. */
  async loseRecord(id: ImageId): Promise<void> {
    await this.#db.commit(this.#db.del('image', id));
    const copies = await RecordCopies.open(join(this.root, 'records', 'image'), silentLog);
    await copies.remove(id);
    await this.reopen();
  }

  /** What is below `layers` and `ingest`: one name per layer, and nothing else when all is well. */
  async onDisk(): Promise<{ layers: string[]; ingest: string[] }> {
    await this.images.settle();
    const read = (name: string) => readdir(join(this.root, name));
    return { layers: await read('layers'), ingest: await read('ingest') };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const id of await this.images.snapshots.list()) await this.images.snapshots.remove(testCall, id);
    await this.images.settle();
    await this.#db[Symbol.asyncDispose]();
    await rm(this.dir, { recursive: true });
  }
}

async function openIn(
  dir: string,
  options: Partial<ImagesOptions>,
): Promise<{ db: Database; images: Images }> {
  const db = await Database.open(join(dir, 'db'));
  const images = await Images.open({
    db,
    root: join(dir, 'root'),
    runDir: join(dir, 'run'),
    registries: { certsDirs: [join(dir, 'certs.d')], retryDelayMs: 1 },
    concurrency: { downloads: 4, unpacks: 2 },
    isInUse: () => false,
    boot: { id: 'this boot', endedWell: undefined },
    log: silentLog,
    ...options,
  });
  return { db, images };
}

export const testContainerId = (character: string): ContainerId => character.repeat(64) as ContainerId;
