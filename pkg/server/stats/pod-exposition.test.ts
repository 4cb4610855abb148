import { expect, test } from 'vitest';
import { testCall } from '../../base/testing/call.ts';
import { podExposition } from './pod-exposition.ts';
import { aRunningContainer, FakeNode } from './testing/node.ts';

test('values are exact, and rows of one metric stand together under their description', async () => {
  const node = new FakeNode();
  const second = { ...aRunningContainer, metadata: { name: 'side', attempt: 0 } };
  node.containers = [aRunningContainer, second];
  const text = await podExposition(node.deps, testCall);
  const labels = (name: string) =>
    `id="${aRunningContainer.id}",image="${aRunningContainer.image.name}",namespace="default",pod="web",container="${name}"`;
  expect(text).toContain(`\
# HELP container_cpu_usage_seconds_total `);
  expect(text).toContain(`# TYPE container_start_time_seconds gauge
container_start_time_seconds{id="${'a'.repeat(64)}",image="",namespace="default",pod="web",container="POD"} 1753000000
container_start_time_seconds{${labels('web')}} 1754000000.5
container_start_time_seconds{${labels('side')}} 1754000000.5
`);
  expect(text.match(/# TYPE container_start_time_seconds/g)).toHaveLength(1);
});

test('what is no counter by its name, or only by its name, is given no type', async () => {
  const text = await podExposition(new FakeNode().deps, testCall);
  expect(text).toContain('# TYPE container_memory_failcnt untyped\n');
  expect(text).toContain('# TYPE container_fs_inodes_total untyped\n');
  expect(text).toContain('# TYPE container_cpu_usage_seconds_total counter\n');
});

test('what is hostile in a name cannot leave its label', async () => {
  const node = new FakeNode();
  const name = 'a"} 1\nb\\';
  node.containers = [{ ...aRunningContainer, metadata: { name, attempt: 0 } }];
  const text = await podExposition(node.deps, testCall);
  expect(text).toContain('container="a\\"} 1\\nb\\\\"}');
  expect(text.split('\n').filter((line) => line.startsWith('b'))).toEqual([]);
});

test('a node without pods has nothing to tell', async () => {
  const node = new FakeNode();
  node.sandboxes = [];
  expect(await podExposition(node.deps, testCall)).toBe('');
});
