// Each file of tests has a directory of its own for everything temporary, as TMPDIR. When its tests are done nothing
// should be left there: no file, no mount, no process that was called with it, and no cgroup that is named after it.

import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll } from 'vitest';
import { remainsOf, type Belongings } from '../../pkg/sys/testing/belongings.ts';
import { claim } from '../../pkg/sys/testing/claim.ts';
import { eventually } from '../../pkg/sys/testing/eventually.ts';
import { patience } from '../e2e/harness/patience.ts';

const dir = mkdtempSync(join(tmpdir(), 'davit-')); // short: paths of sockets may have 107 characters
chmodSync(dir, 0o711); // root of a user namespace has to get through
const belongings: Belongings = { dirs: [dir], cgroup: `/${basename(dir)}` };
const claimed = claim(belongings);
process.env['TMPDIR'] = dir;

/** Nobody waits this long when all is well. */
const PATIENCE_MS = patience(20_000);

afterAll(async () => {
  const remains = await whatRemains();
  if (remains.length === 0) {
    rmSync(dir, { recursive: true, force: true });
  } else {
    const { takeAway } = await import('../../pkg/sys/testing/take-away.ts'); // loads much, and is seldom needed
    await takeAway(belongings);
  }
  claimed[Symbol.dispose]();
  if (remains.length > 0) process.stderr.write(`the tests of this file have left:\n${remains.join('\n')}\n`);
});

/** Processes that were told to end may be on their way out. */
async function whatRemains(): Promise<string[]> {
  try {
    return await eventually(() => (remainsOf(belongings).length === 0 ? [] : undefined), PATIENCE_MS);
  } catch {
    return remainsOf(belongings);
  }
}
