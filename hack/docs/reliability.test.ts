// docs/reliability.md has a line for each pain, and claims nothing that no test shows.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { testExists, testsIn } from './test-names.ts';

const PAINS = 35;
const text = readFileSync('docs/reliability.md', 'utf8');

/** `12. **A pull hangs…**`, with what follows up to the next one. */
const lines = text.split(/^(?=\d+\. \*\*|## )/m).filter((part) => /^\d/.test(part));

test('every test that the document names is there', () => {
  expect(testsIn(text).filter((name) => !testExists(name))).toEqual([]);
});

test('each pain has one line', () => {
  const numbers = lines.map((line) => Number.parseInt(line, 10)).sort((a, b) => a - b);
  expect(numbers).toEqual(Array.from({ length: PAINS }, (_, index) => index + 1));
});

test('every line names a test, or says what is not done', () => {
  const unproved = lines.filter((line) => testsIn(line).length === 0 && !/Not\s+yet: /.test(line));
  expect(unproved).toEqual([]);
});
