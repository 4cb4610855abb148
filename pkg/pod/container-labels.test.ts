import { expect, test } from 'vitest';
import { toRelabelOrder } from './container-labels.ts';

const MOUNT = 'system_u:object_r:container_file_t:s0:c1,c2';
const confined = { process: 'system_u:system_r:container_t:s0:c1,c2', mount: MOUNT };
const mounts = [
  { source: '/volume', destination: '/a', relabel: true },
  { source: '/host', destination: '/b', relabel: false },
  { source: '/bundle/idmapped/2', original: '/mapped', destination: '/c', relabel: true },
];

test('toRelabelOrder() names what asks for it, where it is on the node, and the volumes of the image', () => {
  expect(toRelabelOrder(confined, mounts, ['/volumes/0', undefined])).toEqual({
    paths: ['/volume', '/mapped', '/volumes/0'],
    label: MOUNT,
  });
});

test.each([
  ['without labels', undefined],
  ['that is not confined', { mount: MOUNT }],
  ['of the type spc_t', { ...confined, process: 'system_u:system_r:spc_t:s0' }],
])('toRelabelOrder() names nothing for a container %s', (_, labels) => {
  expect(toRelabelOrder(labels, mounts, ['/volumes/0']).paths).toEqual([]);
});
