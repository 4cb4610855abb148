// Whether pods can have users of their own here: tried once, on the file system that the layers are on.

import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Call } from '../base/call.ts';
import { removeTree } from '../sys/files.ts';
import { mountIdmapped } from '../sys/idmapped-mount.ts';
import { mountOverlay, unmount } from '../sys/mount.ts';
import { inUserNamespace } from '../sys/user-namespace.ts';

/** Any id but root's will do. */
const MAPPING = { hostId: 65536, length: 65536 };

/**
 * Mounts an overlay of a layer whose ids are mapped, as a container's root file system would be.
 *
 * @param root of the images
 * @returns why not, for people; `undefined` if they can
 */
export async function findIdmapProblem(call: Call, root: string): Promise<string | undefined> {
  const dir = join(root, 'idmap-probe');
  const inDir = (name: string) => join(dir, name);
  const [mapped, merged] = [inDir('mapped'), inDir('merged')];
  const clear = async () => {
    for (const target of [merged, mapped]) unmount(target);
    await removeTree(dir);
  };
  try {
    await clear(); // what a daemon has left that died here
    for (const path of ['layers/one', 'layers/two', 'upper', 'work', 'mapped', 'merged'])
      await mkdir(inDir(path), { recursive: true, mode: 0o700 });
    await writeFile(inDir('layers/one/file'), '');
    await inUserNamespace(call, { types: [], mapping: MAPPING }, (pid) => {
      const userNamespace = `/proc/${pid}/ns/user`;
      mountIdmapped({ source: inDir('layers'), target: mapped, userNamespace, readonly: true });
      const lower = ['one', 'two'].map((name) => join(mapped, name));
      mountOverlay({ lower, upper: inDir('upper'), work: inDir('work'), target: merged });
    });
    const { uid } = await stat(join(merged, 'file'));
    return uid === MAPPING.hostId ? undefined : 'the kernel does not map the ids of layers';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    await clear();
  }
}
