// Finds the tests that a document names, so that it cannot name one that is gone.

import { existsSync, readFileSync } from 'node:fs';
import type { TestName } from './field-row.ts';

/** The path of the file in which a test is, and the test's name. */
export function parseTestName(test: TestName): { readonly path: string; readonly name: string } {
  const at = test.indexOf(': ');
  const file = test.slice(0, at);
  return {
    path: `${file.startsWith('e2e/') ? 'test/' : ''}${file}.test.ts`,
    name: test.slice(at + 2),
  };
}

export function testExists(test: TestName): boolean {
  const { path, name } = parseTestName(test);
  return existsSync(path) && testNamesIn(readFileSync(path, 'utf8')).has(name);
}

/** The tests that a text names: between backticks, over the end of a line too. */
export function testsIn(text: string): TestName[] {
  const quoted = [...text.matchAll(/`((?:e2e|api|cmd|hack|pkg)\/[^`:]+: [^`]+)`/g)];
  return quoted.map(([, name = '']) => name.replaceAll(/\s+/g, ' ') as TestName); // it has the form of one
}

/** `test('name', …)`, `test.each(ROWS)('name with %s', …)`: a string first, after `test` or after a bracket. */
const NAME = /(?:\b(?:test|describe)|\))\(\s*(['"`])((?:\\.|(?!\1)[^\\])+)\1,/g;

function testNamesIn(source: string): ReadonlySet<string> {
  return new Set([...source.matchAll(NAME)].map(([, , name = '']) => name.replaceAll(/\\(['"`\\])/g, '$1')));
}
