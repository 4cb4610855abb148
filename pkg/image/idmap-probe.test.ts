import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { testCall } from '../base/testing/call.ts';
import { bindMount, unmount } from '../sys/mount.ts';
import { mountsUnder } from '../sys/mountinfo.ts';
import { tempDir } from '../sys/testing/temp-dir.ts';
import { findIdmapProblem } from './idmap-probe.ts';

test('a machine of the tests can give pods users of their own, and nothing is left of the attempt', async () => {
  using root = tempDir();
  expect(await findIdmapProblem(testCall, root.path)).toBeUndefined();
  expect(readdirSync(root.path)).toEqual([]);
  expect(await mountsUnder(root.path)).toEqual([]);
});

test('why it is not possible is told', async () => {
  using root = tempDir();
  bindMount(root.path, root.path, { readonly: true });
  const problem = await findIdmapProblem(testCall, root.path);
  unmount(root.path);
  expect(problem).toContain('mkdir');
});
