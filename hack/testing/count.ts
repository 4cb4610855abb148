// node hack/testing/count.ts DIR: adds up the results that hack/test left in DIR. Prints each test that failed, with
// its first lines, and then the counts in one line: who sees only the end of the output sees what failed.
// `passed` and `failed` hold a line for each check, `broken` one for each run of vitest that ended badly; the
// .json files are reports of vitest.

import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import * as z from 'zod';

const reportSchema = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  numTodoTests: z.number(),
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.string().default(''),
      assertionResults: z.array(
        z.object({
          status: z.string(),
          fullName: z.string(),
          failureMessages: z.array(z.string()).nullish(),
        }),
      ),
    }),
  ),
});

/** Lines of a failure that are printed: the message and the first places in the code. */
const FAILURE_LINES = 12;

const dir = process.argv[2] ?? '.';
const total = { passed: linesOf('passed'), failed: linesOf('failed'), skipped: 0 };
for (const name of readdirSync(dir).filter((each) => each.endsWith('.json'))) {
  const report = reportSchema.parse(JSON.parse(readFileSync(join(dir, name), 'utf8')));
  total.passed += report.numPassedTests;
  total.failed += report.numFailedTests;
  total.skipped += report.numPendingTests + report.numTodoTests;
  for (const file of report.testResults) {
    for (const failed of file.assertionResults.filter((test) => test.status === 'failed')) {
      print(`FAILED ${relative(process.cwd(), file.name)}: ${failed.fullName}`, failed.failureMessages ?? []);
    }
    if (file.status === 'failed' && file.assertionResults.length === 0) {
      total.failed += 1; // a file that could not even be loaded has no tests
      print(`FAILED ${relative(process.cwd(), file.name)}`, [file.message]);
    }
  }
}
if (total.failed === 0) total.failed = linesOf('broken'); // no test failed, but something outside of them did
process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
process.exitCode = total.failed > 0 ? 1 : 0;

function linesOf(name: string): number {
  if (!readdirSync(dir).includes(name)) return 0;
  return readFileSync(join(dir, name), 'utf8').split('\n').length - 1;
}

function print(title: string, messages: readonly string[]): void {
  const lines = stripVTControlCharacters(messages.join('\n')).split('\n');
  const ours = lines.filter((line) => !line.includes('node_modules')).slice(0, FAILURE_LINES);
  process.stdout.write([title, ...ours.map((line) => `    ${line}`)].join('\n') + '\n');
}
