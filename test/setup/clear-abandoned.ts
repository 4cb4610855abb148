// Before and after a run of tests: what a process has left that was killed, in this run or an earlier one, goes away.

import { clearAbandoned } from '../../pkg/sys/testing/clear-abandoned.ts';

async function clear(): Promise<void> {
  for (const failure of await clearAbandoned()) process.stderr.write(`${failure}\n`);
}

export { clear as setup, clear as teardown };
