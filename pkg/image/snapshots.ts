// The writable root file systems of containers: an overlay of the image's layers with a directory of the
// container's own on top. Everything is found from the container's id alone.

import { chmod, lchown, mkdir, readdir, rename, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { KeyedLock } from '../async/keyed-lock.ts';
import type { Call } from '../base/call.ts';
import { notFound } from '../base/fault.ts';
import type { ContainerId, ImageId } from '../base/id.ts';
import { stage } from '../base/timeline.ts';
import { isErrno } from '../sys/errno.ts';
import { ensureDirectory, isThere, removeTree } from '../sys/files.ts';
import { lutimes } from '../sys/libc/file.ts';
import { isMountPoint, mountOverlay, unmount } from '../sys/mount.ts';
import type { PinnedUsers } from '../sys/user-namespace.ts';
import { checkContainerId } from './container-id.ts';
import { explainDisk } from './disk-fault.ts';
import type { Image } from './image.ts';
import { withIdmappedLayers } from './idmapped-layers.ts';
import type { ImageView } from './image-view.ts';
import type { LayerStore } from './layer-store.ts';

export interface SnapshotsOptions {
  readonly root: string;
  readonly runDir: string;
  readonly layers: Pick<LayerStore, 'pathOf' | 'release' | 'health'>;
  /** An image that is being removed gets no new containers, and the other way round. */
  readonly locks: KeyedLock<ImageId>;
  readonly findImage: (id: ImageId) => Image | undefined;
}

export class Snapshots {
  readonly #options: SnapshotsOptions;
  readonly #dir: string;

  private constructor(options: SnapshotsOptions) {
    this.#options = options;
    this.#dir = join(options.root, 'snapshots');
  }

  static async open(options: SnapshotsOptions): Promise<Snapshots> {
    const snapshots = new Snapshots(options);
    await ensureDirectory(snapshots.#dir, 0o700); // set-user-id programs: not for users of the host
    return snapshots;
  }

  /** Where the root file system of the container is mounted, if it is. */
  rootfsPath(id: ContainerId): string {
    return join(this.#options.runDir, 'containers', id, 'rootfs');
  }

  /**
   * Mounts the root file system. It may be repeated, also after a reboot: what the container wrote is still
   * there. It is writable even for a container that may not write: mount points have to be made in it first.
   *
   * @param view with `users` its files belong to those; what the container writes does on disk, too
   * @throws {Fault} not_found — the image is not here; failed_precondition — a layer of it is damaged;
   *   resource_exhausted — the disk is full
   */
  async prepare(
    call: Call,
    id: ContainerId,
    imageId: ImageId,
    view: ImageView = {},
  ): Promise<{ rootfs: string }> {
    checkContainerId(id);
    using _stage = stage(call, 'mount root filesystem');
    using _guard = await this.#options.locks.acquireFor(imageId, call);
    const image = this.#options.findImage(imageId);
    if (image === undefined) throw notFound('image', imageId);
    const rootfs = this.rootfsPath(id);
    if (isMountPoint(rootfs)) return { rootfs };
    await this.#options.layers.health.expectUsable(image, call.signal);
    try {
      await this.#mount(id, image, rootfs, view);
    } catch (error) {
      throw explainDisk(error, `mount the root filesystem of container "${id}"`);
    }
    return { rootfs };
  }

  async #mount(
    id: ContainerId,
    { chainIds }: Image,
    target: string,
    { users, label }: ImageView,
  ): Promise<void> {
    const [upper, work, empty] = ['fs', 'work', 'empty'].map((name) => join(this.#dir, id, name)) as Three;
    const isEmpty = chainIds.length === 0;
    const layers = () => chainIds.map((chainId) => this.#options.layers.pathOf(chainId)).toReversed();
    await mkdir(work, { recursive: true, mode: 0o700 });
    if (isEmpty) await mkdir(empty, { recursive: true });
    await ensureUpper(upper, layers()[0] ?? empty, users);
    await mkdir(target, { recursive: true });
    const now = () => (isEmpty ? [empty] : layers()); // where they are at that moment
    await withIdmappedLayers({ users, at: this.#mappedLayers(id) }, now, (lower) => {
      mountOverlay({ lower, upper, work, target, label });
    });
  }

  /** In use only while an overlay is being mounted. */
  #mappedLayers(id: ContainerId): string {
    return join(this.#dir, id, 'layers');
  }

  /** Unmounts it and deletes what the container wrote; nothing being there is fine. */
  async remove(call: Call, id: ContainerId): Promise<void> {
    checkContainerId(id);
    using _stage = stage(call, 'remove root filesystem');
    const rootfs = this.rootfsPath(id);
    unmount(rootfs);
    unmount(this.#mappedLayers(id));
    await rmdirIfThere(rootfs);
    await removeTree(join(this.#dir, id));
    await this.#options.layers.release();
  }

  /** Of which containers something is on disk, mounted or not. */
  async list(): Promise<ContainerId[]> {
    return (await readdir(this.#dir)) as ContainerId[]; // only `prepare()` makes names there
  }
}

type Three = [string, string, string];

/**
 * The root of the merged view is the upper directory, so it must look like that of the topmost layer. From then
 * on it is the container's: it is not touched when it is there.
 */
async function ensureUpper(upper: string, topmost: string, users: PinnedUsers | undefined): Promise<void> {
  if (await isThere(upper)) return;
  const unfinished = `${upper}.new`;
  await mkdir(unfinished, { recursive: true, mode: 0o700 });
  const { mode, uid, gid, atimeNs, mtimeNs } = await stat(topmost, { bigint: true });
  const toHost = (id: bigint) => Number(id) + (users?.mapping.hostId ?? 0);
  await lchown(unfinished, toHost(uid), toHost(gid));
  await chmod(unfinished, Number(mode) & 0o7777);
  lutimes(unfinished, atimeNs, mtimeNs);
  await rename(unfinished, upper);
}

async function rmdirIfThere(path: string): Promise<void> {
  try {
    await rmdir(path);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}
