import { readdirSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { testCall } from '../base/testing/call.ts';
import {
  eventually,
  processesWith,
  RUNTIMES,
  sleepOfItsOwn,
  TestNode,
  type TestContainer,
} from './testing/test-node.ts';

/** What is left of execs: processes in the container, monitors, files. */
async function leftOvers(node: TestNode, { bundle, cgroupPath, process }: TestContainer): Promise<unknown[]> {
  return [
    ...(await node.cgroups.pids(cgroupPath)).filter((pid) => pid !== process.pid),
    ...processesWith(bundle).filter((line) => line.includes('--exec-process-spec')),
    ...readdirSync(bundle).filter((name) => name.startsWith('exec-')),
  ];
}

describe.each(Object.keys(RUNTIMES) as (keyof typeof RUNTIMES)[])('with %s', (runtime) => {
  test('a session passes input on, and its end, and keeps the outputs apart', async () => {
    await using node = await TestNode.open(runtime);
    const container = await node.run(['sleep', '1000']);
    {
      await using session = await node.session(container, ['sh', '-c', 'cat; echo done >&2; exit 3']);
      session.stdin?.end('in and out');
      const outputs = Promise.all([text(session.stdout!), text(session.stderr!)]);
      expect(await session.ended()).toBe(3);
      expect(await outputs).toEqual(['in and out', 'done\n']);
    }
    expect(await leftOvers(node, container)).toEqual([]);
  });

  test('a session on a terminal has one, of the size that it is given', async () => {
    await using node = await TestNode.open(runtime);
    const container = await node.run(['sleep', '1000']);
    {
      const command = 'test -t 0 && test -t 1 && test -t 2 && read x && stty size; exit 5';
      await using session = await node.session(container, ['sh', '-c', command], { tty: true });
      const output = text(session.stdout!);
      session.resize({ rows: 33, columns: 101 });
      session.stdin?.write('\n');
      expect(await session.ended()).toBe(5);
      expect(await output).toBe('\r\n33 101\r\n');
    }
    expect(await leftOvers(node, container)).toEqual([]);
  });

  test.for([false, true])('a disposed session leaves nothing; terminal: %s', async (tty) => {
    await using node = await TestNode.open(runtime);
    const container = await node.run(['sleep', '1000']);
    const session = await node.session(container, ['sh', '-c', 'setsid sleep 2001 & sleep 2002'], { tty });
    await session[Symbol.asyncDispose]();
    expect(await leftOvers(node, container)).toEqual([]);
  });

  test.for([
    ['nosuch', 127],
    ['/bin/data', 126],
  ] as const)(
    'of %s, which cannot be run, a session says what a shell would: %i',
    async ([program, exitCode]) => {
      await using node = await TestNode.open(runtime);
      const container = await node.run(['sleep', '1000']);
      await expect(node.session(container, [program])).rejects.toMatchObject({
        code: 'invalid_argument',
        message: expect.stringContaining(program) as string,
        detail: { exitCode },
      });
      await expect(node.session(container, [program], { tty: true })).rejects.toMatchObject({
        code: 'invalid_argument',
        detail: { exitCode },
      });
      expect(await leftOvers(node, container)).toEqual([]);
    },
  );
});

test('a session leaves what the command has started, once that has ended', async () => {
  await using node = await TestNode.open('runc');
  const container = await node.run(['sleep', '1000']);
  const background = sleepOfItsOwn();
  const command = ['sh', '-c', `setsid ${background} >/dev/null 2>&1 & exit 0`];
  const session = await node.session(container, command);
  expect(await session.ended()).toBe(0);
  await session[Symbol.asyncDispose]();
  expect(processesWith(background)).toHaveLength(1);
});

test('a session whose caller leaves while it starts leaves nothing', async () => {
  await using node = await TestNode.open('runc');
  const container = await node.run(['sleep', '1000']);
  const call = { ...testCall, signal: AbortSignal.timeout(5) };
  const command = sleepOfItsOwn();
  await expect(node.session(container, command.split(' '), { tty: true, call })).rejects.toMatchObject({
    name: 'TimeoutError',
  });
  await eventually('nothing is left', () => processesWith(command).length === 0);
  expect(await leftOvers(node, container)).toEqual([]);
});
