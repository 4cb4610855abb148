// The daemon dies at a side effect of a call, is started again, and the call is made again. Points are found by
// recording each call once, so that what is added to the daemon is covered without anyone remembering.
//
// Of each call a few points are taken, the same ones every time; DAVIT_E2E_SEED takes others (a number, or `random`).
// DAVIT_E2E_CRASH_POINTS says how many, or `each` for every effect once, or `all`;
// DAVIT_E2E_CRASH_CALL takes one call alone.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { FaultHarness, withFaultHooks } from './harness/faults/fault-harness.ts';
import { choosePoints, type Amount } from './harness/faults/choose-points.ts';
import { makeFaultImages } from './harness/faults/images.ts';
import { scenarios } from './harness/faults/scenarios.ts';
import { Random, seedOf } from './harness/random.ts';
import { Registry } from './harness/registry.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode(withFaultHooks);
const amount = (process.env['DAVIT_E2E_CRASH_POINTS'] ?? '6') as Amount;
const only = process.env['DAVIT_E2E_CRASH_CALL'];
const seed = seedOf('DAVIT_E2E_SEED');
const TIMEOUT_MS = amount === 'all' || amount === 'each' ? 4 * 3_600_000 : 900_000;

let registry: Registry;
beforeAll(async () => {
  registry = await Registry.start(node.place);
});
afterAll(() => registry[Symbol.asyncDispose]());

test(
  'a call that is cut off anywhere is finished or undone, and succeeds when it is made again',
  async () => {
    const calls = scenarios(await makeFaultImages(node.place, registry));
    const harness = await FaultHarness.open(node);
    const random = new Random(seed);
    const failures: string[] = [];
    const total = { points: 0, tried: 0, kills: 0 };
    for (const call of calls.filter(({ name }) => only === undefined || name === only)) {
      const trace = await harness.record(call);
      const chosen = choosePoints(trace, amount, random);
      let kills = 0;
      for (const point of chosen) {
        const hasDied = await harness.dieAt(call, point).catch(async (error: unknown) => {
          const failure = `${call.name} cut off at ${JSON.stringify(point)}: ${String(error)}`;
          failures.push(failure);
          process.stdout.write(`FAILED ${failure}\n`);
          await harness.reset();
        });
        if (hasDied === true) kills += 1;
        else if (hasDied === false)
          process.stdout.write(`  not reached again: ${point.moment} ${point.effect}\n`);
      }
      process.stdout.write(`${call.name}: ${trace.length} points, ${chosen.length} tried, ${kills} kills\n`);
      total.points += trace.length;
      total.tried += chosen.length;
      total.kills += kills;
    }
    process.stdout.write(`crash points: seed ${seed}, ${JSON.stringify(total)}\n`);
    expect(failures, `with seed ${seed}`).toEqual([]);
    expect(total.kills).toBeGreaterThan(0);
  },
  TIMEOUT_MS,
);
