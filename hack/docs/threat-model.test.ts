// docs/threat-model.md claims nothing that no test shows.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { testExists, testsIn } from './test-names.ts';

const text = readFileSync('docs/threat-model.md', 'utf8');

function section(title: string): string {
  return text.split(/^## /m).find((part) => part.startsWith(`${title}\n`)) ?? '';
}

test('every test that the document names is there', () => {
  expect(testsIn(text).filter((name) => !testExists(name))).toEqual([]);
});

test('every claim names a test', () => {
  const claims = section('Claims').split(/^- /m).slice(1);
  expect(claims.length).toBeGreaterThan(20);
  expect(claims.filter((claim) => testsIn(claim).length === 0)).toEqual([]);
});

test('every published hole has a test, or a word why there is none', () => {
  const rows = section('Published holes of others')
    .split('\n')
    .filter((line) => line.startsWith('| CVE-'));
  expect(rows.length).toBeGreaterThan(30);
  expect(rows.filter((row) => testsIn(row).length === 0 && !row.includes('No test: '))).toEqual([]);
});
