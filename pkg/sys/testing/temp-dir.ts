// A directory for one test: `using dir = tempDir()`.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TempDir extends Disposable {
  readonly path: string;
  /** A path in it. */
  join(...names: readonly string[]): string;
}

/** Makes an empty directory, which goes with all that is in it at the end of the scope. */
export function tempDir(): TempDir {
  const path = mkdtempSync(join(tmpdir(), 'davit-test-'));
  return {
    path,
    join: (...names) => join(path, ...names),
    [Symbol.dispose]: () => {
      rmSync(path, { recursive: true, force: true });
    },
  };
}
