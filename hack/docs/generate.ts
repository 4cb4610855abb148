// Writes the documents that are made from code; with --check it only compares.

import { readFile, writeFile } from 'node:fs/promises';
import { criFieldsDocument } from './cri-fields.ts';

const PATH = 'docs/cri-fields.md';

const text = criFieldsDocument();
const current = await readFile(PATH, 'utf8').catch(() => undefined);
if (current !== text) {
  if (process.argv.includes('--check')) {
    process.stderr.write(`not current: ${PATH}; run hack/generate and commit what it writes\n`);
    process.exitCode = 1;
  } else await writeFile(PATH, text);
}
