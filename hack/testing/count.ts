// node hack/testing/count.ts DIR: adds up the results that hack/test left in DIR and prints them in one line.
// `passed` and `failed` hold a line for each check, `broken` one for each run of vitest that ended badly; the
// .json files are reports of vitest.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';

const reportSchema = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  numTodoTests: z.number(),
  testResults: z.array(z.object({ status: z.string(), assertionResults: z.array(z.unknown()) })),
});

const dir = process.argv[2] ?? '.';
const total = { passed: linesOf('passed'), failed: linesOf('failed'), skipped: 0 };
for (const name of readdirSync(dir).filter((each) => each.endsWith('.json'))) {
  const report = reportSchema.parse(JSON.parse(readFileSync(join(dir, name), 'utf8')));
  total.passed += report.numPassedTests;
  total.failed += report.numFailedTests;
  total.skipped += report.numPendingTests + report.numTodoTests;
  // a file that could not even be loaded has no tests
  total.failed += report.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  ).length;
}
if (total.failed === 0) total.failed = linesOf('broken'); // no test failed, but something outside of them did
process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
process.exitCode = total.failed > 0 ? 1 : 0;

function linesOf(name: string): number {
  if (!readdirSync(dir).includes(name)) return 0;
  return readFileSync(join(dir, name), 'utf8').split('\n').length - 1;
}
