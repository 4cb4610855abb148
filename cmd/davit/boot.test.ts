import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Database } from '../../pkg/store/database.ts';
import { findBoot } from './boot.ts';

test('a boot that was not remembered is another one until it is', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'davit-test-boot-'));
  try {
    await using db = await Database.open(dir);
    expect((await findBoot(db)).isSame).toBe(true); // there was no daemon before
    await db.commit(db.put('node', 'bootId', 'that of last week'));
    const boot = await findBoot(db);
    expect([boot.isSame, (await findBoot(db)).isSame]).toEqual([false, false]);
    await boot.remember();
    expect((await findBoot(db)).isSame).toBe(true);
  } finally {
    await rm(dir, { recursive: true });
  }
});

test('a boot ended well if the daemon was stopped in it, and not if it died', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'davit-test-boot-'));
  try {
    await using db = await Database.open(dir);
    const first = await findBoot(db);
    await first.remember();
    expect((await findBoot(db)).endedWell).toBeUndefined(); // as after a crash
    await first.end([dir]);
    const second = await findBoot(db);
    expect(second.endedWell).toBe(first.id);
    await second.remember();
    expect((await findBoot(db)).endedWell).toBeUndefined();
  } finally {
    await rm(dir, { recursive: true });
  }
});
