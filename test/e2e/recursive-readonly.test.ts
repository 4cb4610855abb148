// Mounts that are read-only with everything mounted below them, where runtime and kernel can do that.

import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { MountInit } from '../../api/cri/generated/types.ts';
import { mountTmpfs, unmount } from '../../pkg/sys/mount.ts';
import { TestContainer } from './harness/container.ts';
import { TestPod } from './harness/pod.ts';
import { refusalOf } from './harness/refusal.ts';
import { useNode } from './harness/use-node.ts';

/** `old` stands for a runtime that knows no `features`. */
const node = useNode({ config: '[runtime.handlers]\nold = { path = "/bin/false" }\n' });

/** A directory of the node in which a filesystem is mounted at `below`, until it is disposed. */
function hostDirectory(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(node.place.dir, 'volume-'));
  const below = join(path, 'below');
  mkdirSync(below);
  mountTmpfs(below, { mode: 0o777 });
  return {
    path,
    [Symbol.dispose]: () => {
      unmount(below);
    },
  };
}

const readonlyMount = (hostPath: string, recursiveReadOnly: boolean): readonly MountInit[] => [
  { hostPath, containerPath: '/data', readonly: true, recursiveReadOnly },
];

test.each([
  [true, 'refused\n'],
  [false, 'written\n'],
])('with recursive %s, writing below a read-only mount is %s', async (recursive, expected) => {
  using directory = hostDirectory();
  const pod = await TestPod.run(node);
  const command = ['sh', '-c', 'touch /data/below/x 2>/dev/null && echo written || echo refused'];
  const config = { mounts: readonlyMount(directory.path, recursive) };
  expect(await pod.output(command, { config })).toBe(expected);
});

test('the status tells for each handler whether it can', async () => {
  const { runtimeHandlers } = await node.client.status();
  const can = runtimeHandlers.map(({ name, features }) => [name, features?.recursiveReadOnlyMounts]);
  expect(Object.fromEntries(can)).toMatchObject({ '': true, runc: true, old: false });
});

test('a handler that cannot refuses in words that the kubelet knows', async () => {
  const pod = await TestPod.run(node, { handler: 'old' });
  const config = { mounts: readonlyMount(node.place.dir, true) };
  expect(await refusalOf(TestContainer.create(pod, { config }))).toEqual({
    code: 'UNIMPLEMENTED',
    message: expect.stringMatching(/^RROUnsupported: /) as string,
  });
});
