import { renameSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { silentLog } from '../../base/testing/call.ts';
import { tempDir } from '../../sys/testing/temp-dir.ts';
import { watchPolicy } from './policy-watch.ts';

test('a policy that says something else is told of, and other files are not', async () => {
  using dir = tempDir();
  const path = dir.join('policy.json');
  writeFileSync(path, 'one');
  let changes = 0;
  await using _watch = await watchPolicy(path, silentLog, () => {
    changes++;
  });
  writeFileSync(dir.join('other'), '');
  writeFileSync(dir.join('new'), 'two');
  expect(changes).toBe(0);
  renameSync(dir.join('new'), path);
  await expect.poll(() => changes, { interval: 20, timeout: 20_000 }).toBe(1);
});
