import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLog } from '../base/testing/call.ts';
import { ExitWatch } from './exit-watch.ts';
import { eventually } from './testing/test-node.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'davit-test-'));
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

/** As conmon does it. */
function writeExit(id: string, text: string): void {
  writeFileSync(join(dir, `${id}.A1B2C3`), text);
  renameSync(join(dir, `${id}.A1B2C3`), join(dir, id));
}

async function openWatch() {
  const told: string[] = [];
  const watch = await ExitWatch.open({
    dir,
    log: silentLog,
    onExit: (id, { exitCode }) => told.push(`${id} ${exitCode}`),
  });
  return {
    watch,
    told,
    [Symbol.dispose]: () => {
      watch[Symbol.dispose]();
    },
  };
}

test('an exit that happened before is told while it opens, with its time', async () => {
  writeExit('c1', '137');
  utimesSync(join(dir, 'c1'), 1, 1_700_000_000);
  using opened = await openWatch();
  expect(opened.told).toEqual(['c1 137']);
  expect(opened.watch.find('c1')).toEqual({ exitCode: 137, finishedAtNs: 1_700_000_000_000_000_000n });
});

test('each exit is told once', async () => {
  using opened = await openWatch();
  writeExit('c1', '0');
  writeExit('c2', '7');
  await eventually('both are told', () => opened.told.length === 2);
  writeExit('c3', '1');
  await eventually('the third is told', () => opened.told.length === 3);
  expect(opened.told.toSorted()).toEqual(['c1 0', 'c2 7', 'c3 1']);
});

test('what is no exit file is passed over, and a half written one is read when it is whole', async () => {
  mkdirSync(join(dir, 'directory'));
  writeExit('empty', '');
  writeExit('words', 'not a number');
  writeFileSync(join(dir, 'c1.XYZ123'), '5');
  using opened = await openWatch();
  expect(opened.told).toEqual([]);
  writeExit('empty', '4');
  await eventually('it is told', () => opened.told.length === 1);
  expect(opened.told).toEqual(['empty 4']);
});

test('forget() deletes the file and may be repeated', async () => {
  writeExit('c1', '0');
  using opened = await openWatch();
  await opened.watch.forget('c1');
  await opened.watch.forget('c1');
  await opened.watch.forget('../../etc/passwd');
  expect([opened.watch.find('c1'), readdirSync(dir)]).toEqual([undefined, []]);
});

test('a directory that somebody removed is made again, and exits in it are told', async () => {
  using opened = await openWatch();
  rmSync(dir, { recursive: true });
  await eventually('it is there again', () => existsSync(dir));
  writeExit('c1', '7');
  await eventually('the exit is told', () => opened.told.length === 1);
});
