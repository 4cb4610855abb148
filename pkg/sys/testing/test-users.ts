// Users of their own for tests, pinned as those of a pod are.

import { testCall } from '../../base/testing/call.ts';
import { unpinNamespaces } from '../namespace.ts';
import { pinUserNamespaces, type PinnedUsers } from '../user-namespace.ts';
import { tempDir } from './temp-dir.ts';

/** Their root is user 327680 on the node. */
export async function testUsers(): Promise<PinnedUsers & Disposable> {
  const dir = tempDir();
  const mapping = { hostId: 327_680, length: 65_536 };
  await pinUserNamespaces(testCall, { dir: dir.path, types: [], mapping });
  const clear = () => {
    unpinNamespaces(dir.path);
    dir[Symbol.dispose]();
  };
  return { path: dir.join('user'), mapping, [Symbol.dispose]: clear };
}
