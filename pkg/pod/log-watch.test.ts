import { mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { silentLog, testCall } from '../base/testing/call.ts';
import { aContainer } from '../container/testing/container.ts';
import { mount, umount2 } from '../sys/libc/mount.ts';
import { eventually, TestNode, type TestContainer } from '../runtime/testing/test-node.ts';
import { tempDir } from '../sys/testing/temp-dir.ts';
import { LogWatch } from './log-watch.ts';

/** A small disk of its own for logs. */
function smallDisk(): { readonly path: string } & Disposable {
  const dir = tempDir();
  mount({ source: 'tmpfs', target: dir.path, type: 'tmpfs', flags: 0, data: 'size=256k' });
  return {
    path: dir.path,
    [Symbol.dispose]: () => {
      umount2(dir.path, 0);
      dir[Symbol.dispose]();
    },
  };
}

function watch(
  node: TestNode,
  container: TestContainer,
  logPath: string,
): LogWatch & { dropped: () => number } {
  let dropped = 0;
  const { shim, process } = container;
  const state = { phase: 'running', process, shim, startedAtNs: 1n } as const;
  const record = { ...aContainer(state, container.id), logPath };
  const logs = new LogWatch({
    containers: { list: () => [record] },
    sandboxes: { get: () => ({ config: { logDirectory: dirname(dirname(logPath)) } }) },
    runtime: { reopenLog: (call) => node.conmon.reopenLog(call, container, logPath) },
    log: silentLog,
    observe: (bytes) => (dropped += bytes),
    intervalMs: 20,
  });
  return Object.assign(logs, { dropped: () => dropped });
}

test('output beyond a full disk is dropped, counted and marked, and the container goes on', async () => {
  using disk = smallDisk();
  await using node = await TestNode.open('runc');
  const logPath = `${disk.path}/0.log`;
  const script = 'head -c 600000 /dev/zero; exec sleep 1000';
  const request = { ...node.prepare(['sh', '-c', script]), logPath };
  const container = { ...node.paths(request.id), ...(await node.conmon.create(testCall, request)) };
  await using logs = watch(node, container, logPath);
  await delay(100); // until it has been looked at once
  await node.start(container);
  await eventually('it is counted', () => logs.dropped() > 100_000);
  expect(logs.dropped()).toBeLessThan(600_000);
  expect(statSync(logPath).size).toBe(256 * 1024);
  await eventually('it is not held up', () => commandOf(container).startsWith('sleep'));
  mount({ source: 'tmpfs', target: disk.path, flags: MS_REMOUNT, data: 'size=1m' });
  const marker = /\n\S+ stderr F davit: at least (\d+) bytes of output were dropped here: .*\n/;
  await eventually('it is marked', () => marker.test(readFileSync(logPath, 'utf8')));
  const [, told] = marker.exec(readFileSync(logPath, 'utf8')) ?? [];
  expect(Number(told)).toBe(logs.dropped());
});

const MS_REMOUNT = 32;

function commandOf({ process }: TestContainer): string {
  return readFileSync(`/proc/${process.pid}/cmdline`, 'latin1');
}

test('a log that was deleted is made again', async () => {
  await using node = await TestNode.open('runc');
  const container = await node.run(['sh', '-c', 'while :; do echo tick; sleep 0.001; done']);
  const { logPath } = node.paths(container.id);
  await using _logs = watch(node, container, logPath);
  await eventually('it is there', () => statSync(logPath, { throwIfNoEntry: false }) !== undefined);
  rmSync(logPath);
  await eventually(
    'it is there again',
    () => (statSync(logPath, { throwIfNoEntry: false })?.size ?? 0) > 1000,
  );
});

test('a log that was deleted with its directories is made again, and what was written meanwhile is counted and marked', async () => {
  using dir = tempDir();
  await using node = await TestNode.open('runc');
  const logPath = `${dir.path}/pod/main/0.log`;
  mkdirSync(dirname(logPath), { recursive: true });
  const script = 'while :; do echo tick; sleep 0.001; done';
  const request = { ...node.prepare(['sh', '-c', script]), logPath };
  const container = { ...node.paths(request.id), ...(await node.conmon.create(testCall, request)) };
  await node.start(container);
  await eventually('it is written', () => statSync(logPath).size > 1000);
  rmSync(`${dir.path}/pod`, { recursive: true });
  await using logs = watch(node, container, logPath);
  await eventually(
    'it is there again',
    () => (statSync(logPath, { throwIfNoEntry: false })?.size ?? 0) > 1000,
  );
  await eventually('it is counted', () => logs.dropped() > 1000);
  const dropped = logs.dropped();
  const marker = `stderr F davit: at least ${dropped} bytes of output were dropped here`;
  await eventually('it is marked', () => readFileSync(logPath, 'utf8').includes(marker));
  const { size } = statSync(logPath);
  await eventually('the container goes on', () => statSync(logPath).size > size + 1000);
  const lines = readFileSync(logPath, 'utf8').split('\n').slice(0, -1);
  expect(lines.filter((line) => !line.endsWith(' stdout F tick'))).toEqual([expect.stringContaining(marker)]);
});
