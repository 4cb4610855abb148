// Tells when the policy on disk says something else: what it has refused before may be allowed now.

import { dirname } from 'node:path';
import type { Log } from '../../base/call.ts';
import { readTextIfExists } from '../../sys/files.ts';
import { WatchedFolders } from '../../sys/watched-folders.ts';

/** @param path of the file, which may be a link by way of another, as in a volume of Kubernetes */
export async function watchPolicy(path: string, log: Log, onChange: () => void): Promise<AsyncDisposable> {
  const read = (): Promise<string | undefined> => readTextIfExists(path).catch(() => undefined);
  let last = await read();
  return await WatchedFolders.open({
    folders: [dirname(path)],
    read,
    onChange: (text) => {
      if (text === last) return;
      last = text;
      onChange();
    },
    log,
  });
}
