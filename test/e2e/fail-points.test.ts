// Something that the daemon does on the node fails, once: the disk does not take it, descriptors have run out. The
// daemon lives on (or ends, where it could only do harm), the call succeeds or says clearly what was wrong, nothing is
// half done, and the same call made again succeeds. Points are found by recording each call once, as in crash-points.test.ts.
//
// Of each call a few points are taken, the same ones every time; DAVIT_E2E_SEED takes others (a number, or `random`).
// DAVIT_E2E_FAIL_POINTS says how many, or `each` for every effect once, or `all`;
// DAVIT_E2E_FAIL_CALL takes one call alone.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { choosePoints, type Amount } from './harness/faults/choose-points.ts';
import { FaultHarness, withFaultHooks, type Scenario } from './harness/faults/fault-harness.ts';
import { makeFaultImages } from './harness/faults/images.ts';
import { ERRNOS, type Errno, type Point } from './harness/faults/plan.ts';
import { scenarios } from './harness/faults/scenarios.ts';
import { Random, seedOf } from './harness/random.ts';
import { Registry } from './harness/registry.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode(withFaultHooks);
const amount = (process.env['DAVIT_E2E_FAIL_POINTS'] ?? '1') as Amount;
const only = process.env['DAVIT_E2E_FAIL_CALL'];
const seed = seedOf('DAVIT_E2E_SEED');
const TIMEOUT_MS = amount === 'all' || amount === 'each' ? 4 * 3_600_000 : 900_000;

let registry: Registry;
beforeAll(async () => {
  registry = await Registry.start(node.place);
});
afterAll(() => registry[Symbol.asyncDispose]());

interface Total {
  tried: number;
  reached: number;
  refused: number;
  neededDoctor: number;
  readonly failures: string[];
}

test(
  'a call of which anything fails is refused clearly, and succeeds when it is made again',
  async () => {
    const calls = scenarios(await makeFaultImages(node.place, registry));
    const harness = await FaultHarness.open(node);
    const random = new Random(seed);
    const total: Total = { tried: 0, reached: 0, refused: 0, neededDoctor: 0, failures: [] };
    for (const call of calls.filter(({ name }) => only === undefined || name === only)) {
      const trace = await harness.record(call, { forFailures: true });
      const points = trace.filter(({ moment, effect }) => moment === 'before' && !effect.startsWith('step '));
      for (const point of choosePoints(points, amount, random))
        await tryPoint(harness, call, { point, errno: ERRNOS[random.integer(0, ERRNOS.length - 1)]! }, total);
    }
    process.stdout.write(`fail points: seed ${seed}, ${JSON.stringify(total)}\n`);
    expect(total.failures, `with seed ${seed}`).toEqual([]);
    expect(total.reached).toBeGreaterThan(0);
  },
  TIMEOUT_MS,
);

async function tryPoint(
  harness: FaultHarness,
  call: Scenario<never>,
  { point, errno }: { readonly point: Point; readonly errno: Errno },
  total: Total,
): Promise<void> {
  const what = `${call.name}, ${errno} at ${point.effect} (${point.occurrence})`;
  total.tried += 1;
  try {
    const { wasReached, refusal, neededDoctor } = await harness.failAt(call, point, errno);
    total.reached += Number(wasReached);
    total.refused += Number(refusal !== undefined);
    total.neededDoctor += Number(neededDoctor);
    const answer = refusal === undefined ? 'it succeeds' : `${refusal.code}: ${refusal.message}`;
    const doctor = neededDoctor ? '; the doctor was needed' : '';
    process.stdout.write(`${what}: ${wasReached ? answer : 'not reached again'}${doctor}\n`);
  } catch (error) {
    const failure = `${what}: ${String(error)}`;
    total.failures.push(failure);
    process.stdout.write(`FAILED ${failure}\n`);
    await harness.reset();
  }
}
