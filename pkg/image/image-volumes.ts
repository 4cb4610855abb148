// Images mounted into containers as volumes, read-only. Each has a directory of its own below the container's,
// named after its number, so that all of them are found from the container's id alone.

import { mkdir, readdir, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { KeyedLock } from '../async/keyed-lock.ts';
import type { Call } from '../base/call.ts';
import { Fault, notFound } from '../base/fault.ts';
import type { ContainerId, ImageId } from '../base/id.ts';
import { stage } from '../base/timeline.ts';
import { isErrno } from '../sys/errno.ts';
import { ensureDirectory, resolveInRoot } from '../sys/files.ts';
import { isMountPoint, makePrivate, mountOverlay, unmount } from '../sys/mount.ts';
import { checkContainerId } from './container-id.ts';
import type { Image } from './image.ts';
import { withIdmappedLayers } from './idmapped-layers.ts';
import type { ImageView } from './image-view.ts';
import type { LayerStore } from './layer-store.ts';

export interface ImageVolumesOptions {
  readonly runDir: string;
  readonly layers: Pick<LayerStore, 'pathOf' | 'release' | 'health'>;
  /** An image that is being removed gets no new volumes, and the other way round. */
  readonly locks: KeyedLock<ImageId>;
  readonly findImage: (id: ImageId) => Image | undefined;
}

export interface ImageVolume {
  readonly imageId: ImageId;
  /** What of the image is wanted, relative to its root; '' for all of it. */
  readonly subPath: string;
}

export class ImageVolumes {
  readonly #options: ImageVolumesOptions;

  constructor(options: ImageVolumesOptions) {
    this.#options = options;
  }

  /**
   * Mounts the volumes. It may be repeated, also after a reboot.
   *
   * @returns for each in its place the path on the host, free of symbolic links: that of a directory or of a file
   * @throws {Fault} not_found — an image is not here; failed_precondition — it is damaged; invalid_argument — a sub path is not in it. The messages
   *   begin with `ImageVolumeMountFailed: `, by which the kubelet knows them
   */
  async mount(
    call: Call,
    id: ContainerId,
    volumes: readonly ImageVolume[],
    view: ImageView = {},
  ): Promise<string[]> {
    if (volumes.length === 0) return [];
    using _stage = stage(call, 'mount image volumes');
    await ensureDirectory(this.#dirOf(id), 0o700); // set-user-id programs: not for users of the host
    const sources: string[] = [];
    for (const [index, volume] of volumes.entries()) {
      const target = join(this.#dirOf(id), String(index));
      sources.push(await this.#mountOne(call, target, volume, view));
    }
    return sources;
  }

  /** Unmounts those of the container; there being none is fine. */
  async remove(id: ContainerId): Promise<void> {
    const dir = this.#dirOf(id);
    const names = await namesIn(dir);
    for (const name of names) {
      unmount(join(dir, name));
      await rmdir(join(dir, name));
    }
    await rmdirIfThere(dir);
    if (names.length > 0) await this.#options.layers.release();
  }

  async #mountOne(call: Call, target: string, volume: ImageVolume, view: ImageView): Promise<string> {
    const { imageId, subPath } = volume;
    try {
      using _guard = await this.#options.locks.acquireFor(imageId, call);
      const image = this.#options.findImage(imageId);
      if (image === undefined) throw notFound('image', imageId);
      if (!isMountPoint(target)) {
        await this.#options.layers.health.expectUsable(image, call.signal);
        await this.#mountImage(image, target, view);
      }
      return subPath === '' ? target : await resolveSubPath(target, volume);
    } catch (cause) {
      if (call.signal.aborted) throw cause;
      const { code, message } = Fault.from(cause);
      throw new Fault(code, `${IMAGE_VOLUME_MOUNT_FAILED}${message}`, {
        detail: { imageId, subPath },
        cause,
      });
    }
  }

  async #mountImage({ chainIds }: Image, target: string, { users, label }: ImageView): Promise<void> {
    await mkdir(target, { recursive: true });
    const layers = () => chainIds.map((chainId) => this.#options.layers.pathOf(chainId)).toReversed();
    if (chainIds.length === 0) return; // an empty image: the container sees the empty directory, read-only
    await withIdmappedLayers({ users, at: `${target}.layers` }, layers, (lower) => {
      mountOverlay({ lower, target, label });
    });
    makePrivate(target);
  }

  #dirOf(id: ContainerId): string {
    return join(this.#options.runDir, 'containers', checkContainerId(id), 'volumes');
  }
}

/** Source: the errors of the CRI, `ErrImageVolumeMountFailed`. */
export const IMAGE_VOLUME_MOUNT_FAILED = 'ImageVolumeMountFailed: ';

async function resolveSubPath(root: string, { imageId, subPath }: ImageVolume): Promise<string> {
  try {
    const path = resolveInRoot(root, subPath);
    const found = await stat(path); // the last element is no link any more
    if (found.isDirectory() || found.isFile()) return path;
  } catch (cause) {
    if (!isErrno(cause, 'ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG')) throw cause;
    throw new Fault('invalid_argument', `image "${imageId}" has no "${subPath}"`, { cause });
  }
  throw new Fault('invalid_argument', `"${subPath}" of image "${imageId}" is neither a directory nor a file`);
}

async function namesIn(dir: string): Promise<string[]> {
  try {
    return await readdir(dir);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

async function rmdirIfThere(path: string): Promise<void> {
  try {
    await rmdir(path);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}
