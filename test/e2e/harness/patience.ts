// How long tests wait for what should happen. A slow machine, such as an emulated one, gets more time for
// everything through `DAVIT_E2E_TIMEOUT_FACTOR`; vitest.config.ts multiplies its own limits by the same.

const FACTOR = Number(process.env['DAVIT_E2E_TIMEOUT_FACTOR'] ?? 1);
if (!(FACTOR >= 1)) throw new Error('DAVIT_E2E_TIMEOUT_FACTOR is not a number from 1 on');

/** @param time enough on an ordinary machine, in whichever unit */
export function patience(time: number): number {
  return time * FACTOR;
}
