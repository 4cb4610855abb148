import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readCriFields, ROWS } from './cri-fields.ts';
import { testExists } from './test-names.ts';

const fields = readCriFields();
const rows = Object.entries(ROWS).flatMap(([message, own]) =>
  Object.entries(own).map(([name, row]) => ({ field: `${message}.${name}`, row })),
);

test('every field of the CRI that reaches a runtime has a row, or is a message whose fields have', () => {
  const known = new Set(rows.map(({ field }) => field));
  const missing = fields.filter(
    ({ message, name, hasFields }) => !hasFields && !known.has(`${message}.${name}`),
  );
  expect(missing).toEqual([]);
});

test('a field that the CRI gets tomorrow is missed', () => {
  const proto = `syntax = "proto3"; package runtime.v1;
    message RunPodSandboxRequest { string from_tomorrow = 99; }
    message CreateContainerRequest {} message UpdateContainerResourcesRequest {}
    message UpdatePodSandboxResourcesRequest {} message PodSandboxStatus {} message ContainerStatus {}`;
  expect(readCriFields(proto)).toEqual([
    { message: 'RunPodSandboxRequest', name: 'from_tomorrow', type: 'string', hasFields: false },
  ]);
  expect(ROWS['RunPodSandboxRequest']).not.toHaveProperty('from_tomorrow');
});

test('no row is about a field that the CRI does not have', () => {
  const known = new Set(fields.map(({ message, name }) => `${message}.${name}`));
  expect(rows.map(({ field }) => field).filter((field) => !known.has(field))).toEqual([]);
});

test('every file that a row names is there', () => {
  const wheres = rows.flatMap(({ row }) => ('where' in row ? [row.where] : []));
  expect(wheres.filter((where) => !existsSync(`pkg/${where}`))).toEqual([]);
});

test('every test that a row names is there', () => {
  const tests = rows.flatMap(({ row }) => (row.kind === 'honoured' ? row.tests : []));
  expect(tests.filter((name) => !testExists(name))).toEqual([]);
});

test('a test that does not exist is noticed', () => {
  expect(testExists('e2e/sandbox: nobody ever wrote this')).toBe(false);
  expect(testExists('e2e/no-such-file: nobody ever wrote this')).toBe(false);
});
