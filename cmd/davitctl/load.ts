// davitctl load: imports images from archives. The CRI has no word for it, so only Davit can do this.

import { resolve } from 'node:path';
import { define } from './define.ts';
import { toJson } from './format.ts';

export const load = define({
  name: 'load',
  summary: 'import images from archives',
  synopsis: '[OPTIONS] FILE...',
  about:
    'FILE is a tar, plain or compressed with gzip or zstd: an OCI image layout, or what docker save and\n' +
    'podman save write. The daemon opens it, so it has to be on its machine. Only Davit can do this.',
  options: {},
  examples: [
    ['load busybox.tar', 'the images of one archive'],
    ['load --json images.tar.zst', 'and what they are called, for machines'],
  ],
  completes: 'files',
  args: { min: 1, max: Infinity },
  async run({ davit, io, json, args }) {
    const loaded: { file: string; references: readonly string[]; ids: readonly string[] }[] = [];
    for (const file of args) {
      const path = resolve(io.cwd, file);
      const { references, ids } = await davit.loadImages({ path }, { signal: io.signal });
      loaded.push({ file: path, references, ids });
      if (!json) (references.length > 0 ? references : ids).forEach(io.out);
    }
    if (json) io.out(toJson(loaded));
    return 0;
  },
});
