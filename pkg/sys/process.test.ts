import { expect, test } from 'vitest';
import { testCall } from '../base/testing/call.ts';
import { identifyNow, isAlive } from './process-identity.ts';
import { signal, signalGroup, waitForExit } from './process.ts';
import { type Child, spawn } from './spawn.ts';
import { readText } from './testing/read-text.ts';

const sleeper = () => spawn({ file: '/bin/sleep', args: ['100'] });

test('identifyNow() knows a process until it is reaped', async () => {
  const child = sleeper();
  expect(identifyNow(child.pid)).toEqual(child.identity);
  await signal(child.identity, 'SIGKILL');
  await child.exited;
  expect(identifyNow(child.pid)).toBeUndefined();
});

test('signal() reaches the process, and says when it is gone', async () => {
  const child = sleeper();
  expect(await signal(child.identity, 'SIGTERM')).toBe(true);
  expect(await child.exited).toEqual({ kind: 'signalled', signal: 15 });
  expect(await signal(child.identity, 'SIGTERM')).toBe(false);
});

test('signal() leaves another process alone that has the pid now', async () => {
  const child = sleeper();
  expect(await signal({ pid: child.pid, startTicks: '1' }, 'SIGKILL')).toBe(false);
  expect(await isAlive(child.identity)).toBe(true);
  await signal(child.identity, 'SIGKILL');
  await child.exited;
});

test('signalGroup() leaves a group alone whose leader has been reaped, or is another', async () => {
  const child = spawn({ file: '/bin/sleep', args: ['100'], newSession: true });
  expect(await signalGroup({ ...child.identity, startTicks: '1' }, 'SIGKILL')).toBe(false);
  expect(await signalGroup(child.identity, 'SIGTERM')).toBe(true);
  expect(await child.exited).toEqual({ kind: 'signalled', signal: 15 });
  expect(await signalGroup(child.identity, 'SIGKILL')).toBe(false);
});

test.each([-1, 0, 1, 1.5, NaN])('signalGroup() refuses pid %d', async (pid) => {
  await expect(signalGroup({ pid, startTicks: '1' }, 0)).rejects.toThrow('cannot signal or await process');
});

test.each([-1, 0, 1, 1.5, NaN])('signal() and waitForExit() refuse pid %d', async (pid) => {
  const refusal = { code: 'invalid_argument', message: `cannot signal or await process "${pid}"` };
  await expect(signal({ pid, startTicks: '1' }, 'SIGKILL')).rejects.toMatchObject(refusal);
  await expect(waitForExit(testCall, { pid, startTicks: '1' })).rejects.toMatchObject(refusal);
});

/** A process that is no child of ours: the child of a shell that has ended. */
async function orphan(): Promise<{ pid: number; shell: Child }> {
  const shell = spawn({ file: '/bin/sh', args: ['-c', '/bin/sleep 100 >&- & echo $!'], stdout: 'pipe' });
  const pid = Number(await readText(shell.stdout));
  await shell.exited;
  return { pid, shell };
}

test('waitForExit() sees the end of a process that is no child of ours', async () => {
  const { pid } = await orphan();
  const identity = identifyNow(pid)!;
  let ended = false;
  const waiting = waitForExit(testCall, identity).then(() => {
    ended = true;
  });
  await new Promise(setImmediate);
  expect(ended).toBe(false);
  await signal(identity, 'SIGKILL');
  await waiting;
  expect(await isAlive(identity)).toBe(false);
  await waitForExit(testCall, identity);
});

test('waitForExit() gives up when the caller does', async () => {
  const child = sleeper();
  const caller = new AbortController();
  const waiting = waitForExit({ signal: caller.signal }, child.identity);
  caller.abort(new Error('gone'));
  await expect(waiting).rejects.toThrow('gone');
  await signal(child.identity, 'SIGKILL');
  await child.exited;
});

test('waitForExit() watches many processes at once', async () => {
  const children = Array.from({ length: 50 }, sleeper);
  const waits = children.map((child) => waitForExit(testCall, child.identity));
  for (const child of children) await signal(child.identity, 'SIGKILL');
  await Promise.all([...waits, ...children.map((child) => child.exited)]);
});
