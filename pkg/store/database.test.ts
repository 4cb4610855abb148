import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Database } from './database.ts';

test('a database that was not finished when the power failed is made anew', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'davit-test-database-'));
  try {
    const path = join(dir, 'db');
    mkdirSync(`${path}.new`);
    writeFileSync(join(`${path}.new`, 'CURRENT'), 'MANIFEST-000001\n'); // which has not reached the disk
    {
      await using db = await Database.open(path);
      await db.commit(db.put('section', 'key', 'value'));
    }
    await using again = await Database.open(path);
    expect(await again.entries('section')).toEqual([['key', '"value"']]);
    expect(existsSync(`${path}.new`)).toBe(false);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
