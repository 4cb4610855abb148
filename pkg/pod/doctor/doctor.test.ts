import { expect, test } from 'vitest';
import { silentLog, testCall } from '../../base/testing/call.ts';
import { Doctor } from './doctor.ts';
import type { Finding, FindingKind } from './finding.ts';

function finding(kind: FindingKind, repair?: Finding['repair']): Finding {
  return { kind, subject: 'x', problem: 'p', advice: 'a', ...(repair && { repair }) };
}

/** A finding that is gone once it was repaired. */
function mendable(isSafe: boolean) {
  let isMended = false;
  const repair = {
    isSafe,
    run: () => {
      isMended = true;
      return Promise.resolve();
    },
  };
  return () => Promise.resolve(isMended ? [] : [finding('stray_files', repair)]);
}

function doctorOf(...inspections: (() => Promise<Finding[]>)[]): Doctor {
  return new Doctor({ inspections, log: silentLog, intervalMs: 600_000 });
}

test.each([
  ['nothing', true, false],
  ['nothing', false, false],
  ['safe', true, true],
  ['safe', false, false],
  ['all', true, true],
  ['all', false, true],
] as const)('when %s may be repaired, what is safe: %s is repaired: %s', async (which, isSafe, repaired) => {
  await using doctor = doctorOf(mendable(isSafe));
  expect(await doctor.examine(testCall, which)).toEqual([
    { kind: 'stray_files', subject: 'x', problem: 'p', advice: 'a', canRepair: true, repaired, failure: '' },
  ]);
  expect(await doctor.examine(testCall, 'nothing')).toHaveLength(repaired ? 0 : 1);
});

test('what cannot be repaired says why, and costs the others nothing', async () => {
  const resists = { isSafe: true, run: () => Promise.reject(new Error('it is in use')) };
  await using doctor = doctorOf(() => Promise.resolve([finding('stray_process', resists)]), mendable(true));
  expect(await doctor.examine(testCall, 'all')).toMatchObject([
    { repaired: false, failure: 'it is in use' },
    { repaired: true },
  ]);
});

test('what stays is told of once, and counted at every look', async () => {
  const lines: string[] = [];
  const log = { ...silentLog, warn: (_: object, event: string) => void lines.push(event) };
  const counts: (number | undefined)[] = [];
  await using doctor = new Doctor({
    inspections: [() => Promise.resolve([finding('host')])],
    log,
    intervalMs: 600_000,
    observe: (found) => counts.push(found.get('host'), found.get('unfinished')),
  });
  await doctor.examine(testCall, 'safe');
  await doctor.examine(testCall, 'safe');
  expect(lines).toEqual(['found on the node']);
  expect(counts).toEqual([1, 0, 1, 0]);
});

test('a look of its own repairs what is safe', async () => {
  const inspect = mendable(true);
  await using doctor = doctorOf(inspect);
  doctor.start();
  await expect.poll(inspect).toEqual([]);
});
