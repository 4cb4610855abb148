// The users of a pod that are not those of the node.

import { join } from 'node:path';
import type { PinnedUsers } from '../sys/user-namespace.ts';
import { sandboxPaths } from './paths.ts';
import type { Sandbox } from './sandbox.ts';

/** @returns `undefined` if they are those of the node */
export function podUsers(
  runDir: string,
  { id, config }: Pick<Sandbox, 'id' | 'config'>,
): PinnedUsers | undefined {
  const { userNamespace: mapping } = config;
  return mapping && { path: join(sandboxPaths(runDir, id).namespaces, 'user'), mapping };
}
