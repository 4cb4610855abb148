import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findClasses } from './resource-classes.ts';

let resctrl: string;
beforeEach(() => {
  resctrl = mkdtempSync(join(tmpdir(), 'davit-test-'));
  mkdirSync(join(resctrl, 'gold'));
  writeFileSync(join(resctrl, 'gold/schemata'), '');
  writeFileSync(join(resctrl, 'schemata'), '');
});
afterEach(() => {
  rmSync(resctrl, { recursive: true });
});

const [disk = ''] = readdirSync('/sys/block');
const slow = {
  devices: [`/dev/${disk}`],
  weight: 100,
  read_bytes_per_second: 1_000_000,
  write_bytes_per_second: 0,
  read_operations_per_second: 0,
  write_operations_per_second: 500,
};

const find = (podAnnotations: Record<string, string>, annotations: Record<string, string> = {}) =>
  findClasses({ blockio: { slow }, resctrl }, { name: 'web', annotations, podAnnotations });

test('a container without annotations has no class', async () => {
  expect(await find({ 'rdt.resources.beta.kubernetes.io/container.other': 'gold' })).toEqual({});
});

test.for([
  [{ 'rdt.resources.beta.kubernetes.io/pod': 'gold' }, {}],
  [
    { 'rdt.resources.beta.kubernetes.io/container.web': 'gold', 'rdt.resources.beta.kubernetes.io/pod': 'x' },
    {},
  ],
  [{ 'rdt.resources.beta.kubernetes.io/container.web': 'x' }, { 'io.kubernetes.cri.rdt-class': 'gold' }],
] as const)('what is said of the container wins: %j %j', async ([pod, own]) => {
  expect(await find(pod, own)).toEqual({ rdtClass: 'gold' });
});

test.for(['silver', '', '.', '..', '../gold', 'gold/..', '-/..'])(
  'there is no RDT class "%s"',
  async (name) => {
    await expect(find({ 'rdt.resources.beta.kubernetes.io/pod': name })).rejects.toMatchObject({
      code: 'failed_precondition',
      message: `this node has no RDT class "${name}" in "${resctrl}"`,
    });
  },
);

test('a class of block devices has their numbers, and no limit where there is none', async () => {
  const { blockIo } = await find({ 'blockio.resources.beta.kubernetes.io/pod': 'slow' });
  const numbers = { major: expect.any(Number) as number, minor: expect.any(Number) as number };
  expect(blockIo).toEqual({
    weight: 100,
    throttleReadBpsDevice: [{ ...numbers, rate: 1_000_000 }],
    throttleWriteBpsDevice: [],
    throttleReadIOPSDevice: [],
    throttleWriteIOPSDevice: [{ ...numbers, rate: 500 }],
  });
});

test.for(['fast', 'constructor'])('a class "%s" that is not configured is told by its name', async (name) => {
  await expect(find({ 'blockio.resources.beta.kubernetes.io/pod': name })).rejects.toMatchObject({
    code: 'failed_precondition',
    message: `the configuration has no class "${name}" in runtime.blockio_classes`,
  });
});
