// How work ended and how long it took, for whoever counts.

import { Fault, type FaultCode } from './fault.ts';

/** `ok`, or the code of the fault. */
export type Outcome = FaultCode | 'ok';

/** Told once of each piece of work, when it is over. Must not throw. */
export type Observe = (outcome: Outcome, tookMs: number) => void;

/**
 * Does the work and tells `observe` how it ended.
 *
 * @param outcomeOf what a result means, if not every one is `ok`
 */
export async function observed<T>(
  observe: Observe | undefined,
  work: () => Promise<T>,
  outcomeOf: (result: T) => Outcome = () => 'ok',
): Promise<T> {
  if (observe === undefined) return await work();
  const startedAtMs = performance.now();
  let outcome: Outcome = 'ok';
  try {
    const result = await work();
    outcome = outcomeOf(result);
    return result;
  } catch (thrown) {
    outcome = Fault.from(thrown).code;
    throw thrown;
  } finally {
    observe(outcome, performance.now() - startedAtMs);
  }
}
