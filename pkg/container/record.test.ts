import { expect, test } from 'vitest';
import type { ImageId } from '../base/id.ts';
import type { Container } from './container.ts';
import { imagesUsed } from './images-used.ts';
import type { ContainerState } from './phase.ts';
import { containerCodec } from './record.ts';
import { aContainer, process, shim } from './testing/container.ts';

const onDisk = (container: Container): unknown =>
  JSON.parse(JSON.stringify(containerCodec.encode(container)));
const running = { process, shim, startedAtNs: 1_755_000_000_123_456_789n };
const exited = {
  phase: 'exited',
  exitCode: 7,
  startedAtNs: 1n,
  finishedAtNs: 1_755_000_000_123_456_790n,
  reason: 'Error',
  message: '',
} as const;
const STATES: readonly ContainerState[] = [
  { phase: 'creating' },
  { phase: 'created', process, shim },
  { phase: 'starting', ...running },
  { phase: 'running', ...running },
  { phase: 'stopping', ...running, killAtUptimeMs: 5, signalled: true },
  exited,
  { phase: 'lost', ...running },
  { phase: 'removing', last: exited },
];

test.each(STATES)('a container that is $phase survives the disk, to the last nanosecond', (state) => {
  const container: Container = {
    ...aContainer(state),
    user: { uid: 1, gid: 2, supplementalGroups: [2, 3] },
    resources: { memoryLimitBytes: 9_007_199_254_740_993n, unified: { 'memory.high': '1' } },
  };
  expect(containerCodec.decode(onDisk(container), container.id)).toEqual(container);
});

test('a mounted image survives the disk, and a mount of the host has none', () => {
  const bind = {
    containerPath: '/etc/x',
    hostPath: '/x',
    readonly: true,
    recursiveReadOnly: false,
    propagation: 'private',
    selinuxRelabel: false,
  } as const;
  const id = `sha256:${'1'.repeat(64)}` as ImageId;
  const image = { name: 'model', userSpecified: 'model:1', id, subPath: 'weights' };
  const container: Container = {
    ...aContainer({ phase: 'creating' }),
    mounts: [bind, { ...bind, hostPath: '', image }],
  };
  expect(containerCodec.decode(onDisk(container), container.id)).toStrictEqual(container);
  expect([...imagesUsed(container)]).toEqual([container.image.id, id]);
});

test('a record from the future is refused, not guessed at', () => {
  const future = { ...(onDisk(aContainer({ phase: 'creating' })) as object), v: 2 };
  expect(() => containerCodec.decode(future, 'c1')).toThrow(
    'cannot read record of container "c1": a later davit has written it in version 2, and this one knows version 1',
  );
});

test('a pid that would reach every process is refused', () => {
  const wild = aContainer({ phase: 'created', process: { pid: -1, startTicks: '1' }, shim });
  expect(() => containerCodec.decode(onDisk(wild), 'c1')).toThrow('state.process.pid');
});
