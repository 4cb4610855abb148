// Archives of images: which images one contains, in either of the two forms.

import { Fault } from '../../base/fault.ts';
import type { ImageSource } from '../image-source.ts';
import { ArchiveFiles } from './archive-files.ts';
import { readDockerArchive } from './docker-archive.ts';
import { readOciLayout } from './oci-layout.ts';

export class Archive implements AsyncDisposable {
  readonly #path: string;
  readonly #files: ArchiveFiles;

  private constructor(path: string, files: ArchiveFiles) {
    this.#path = path;
    this.#files = files;
  }

  /**
   * @param ingestDir where its files are kept until it is disposed
   * @throws {Fault} not_found — no such file; invalid_argument — it is no tar
   */
  static async open(path: string, ingestDir: string, signal: AbortSignal): Promise<Archive> {
    return new Archive(path, await ArchiveFiles.open(path, ingestDir, signal));
  }

  /**
   * Those for this machine. Their layers can be read until the archive is disposed.
   *
   * @throws {Fault} invalid_argument — there are none; data_loss — something is missing or damaged
   */
  async images(signal: AbortSignal): Promise<ImageSource[]> {
    const images = await this.#read(signal);
    if (images.length > 0) return images;
    throw new Fault('invalid_argument', `cannot load "${this.#path}": it has no image for this machine`);
  }

  /** @throws {Fault} invalid_argument — it is neither */
  get form(): 'docker' | 'oci' {
    if (this.#files.has('index.json')) return 'oci';
    if (this.#files.has('manifest.json')) return 'docker';
    throw new Fault(
      'invalid_argument',
      `cannot load "${this.#path}": it is neither an OCI layout nor an archive of Docker`,
    );
  }

  async #read(signal: AbortSignal): Promise<ImageSource[]> {
    return this.form === 'oci'
      ? await readOciLayout(this.#files, signal)
      : await readDockerArchive(this.#files, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#files[Symbol.asyncDispose]();
  }
}
