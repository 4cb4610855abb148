import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { remainsOf, type Belongings } from './belongings.ts';
import { cgroupOfItsOwn } from './cgroup-name.ts';
import { claim } from './claim.ts';
import { clearAbandoned } from './clear-abandoned.ts';
import { takeAway } from './take-away.ts';
import { tempDir } from './temp-dir.ts';

const CLAIMANT = new URL('claimant.ts', import.meta.url).pathname;

/** A process that has made all kinds of things. */
async function startClaimant(belongings: Belongings, claims: string): Promise<ChildProcess> {
  const argument = JSON.stringify({ belongings, claims });
  const child = spawn(process.execPath, [CLAIMANT, argument], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

test('what a killed process has claimed is taken away: processes, mounts, cgroups, directories', async () => {
  using dir = tempDir();
  const [claims, made] = [dir.join('claims'), dir.join('made')];
  const belongings = { dirs: [made], cgroup: cgroupOfItsOwn() };
  const owner = await startClaimant(belongings, claims);
  expect(await clearAbandoned(claims)).toEqual([]);
  const whileItLives = remainsOf(belongings).map((sentence) => sentence.split(' ')[0]);
  expect(new Set(whileItLives)).toEqual(new Set(['process', 'tmpfs', 'cgroup']));
  await kill(owner);
  expect(await clearAbandoned(claims)).toEqual([]);
  expect({ remains: remainsOf(belongings), isThere: existsSync(made) }).toEqual({
    remains: [],
    isThere: false,
  });
});

test('what a living process claims stays, and so does what nobody claims any more', async () => {
  using dir = tempDir();
  const claims = dir.join('claims');
  const belongings = { dirs: [dir.path], cgroup: cgroupOfItsOwn() };
  const claimed = claim(belongings, claims);
  await clearAbandoned(claims);
  expect(existsSync(dir.path)).toBe(true);
  claimed[Symbol.dispose]();
  await clearAbandoned(claims);
  expect(existsSync(dir.path)).toBe(true);
});

test('claims that others could have written are refused', async () => {
  using dir = tempDir();
  chmodSync(dir.path, 0o777);
  await expect(clearAbandoned(dir.path)).rejects.toThrow('is not a directory of ours alone');
});

test('takeAway() may be repeated, and what was never made is fine', async () => {
  using dir = tempDir();
  const belongings = { dirs: [dir.join('a')], cgroup: cgroupOfItsOwn(), bridge: 'dv-none', rules: dir.path };
  await takeAway(belongings);
  await takeAway(belongings);
  expect(remainsOf(belongings)).toEqual([]);
});
