import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { testCall } from '../base/testing/call.ts';
import { processesWith, RUNTIMES, TestNode, type TestContainer } from './testing/test-node.ts';

/** What is left of execs: their processes, their cgroups, their files. */
async function leftOvers(node: TestNode, { bundle, cgroupPath, process }: TestContainer): Promise<unknown[]> {
  const pids = (await node.cgroups.pids(cgroupPath)).filter((pid) => pid !== process.pid);
  const commands = pids.map((pid) => readFileSync(`/proc/${pid}/cmdline`, 'latin1'));
  const files = readdirSync(bundle).filter((name) => name.startsWith('exec-'));
  const monitors = processesWith(bundle).filter((line) => line.includes('--exec-process-spec'));
  const root = node.cgroups.version === 2 ? '/sys/fs/cgroup' : '/sys/fs/cgroup/freezer';
  const groups = readdirSync(root + cgroupPath).filter((name) => name.startsWith('exec-'));
  return [...commands, ...files, ...monitors, ...groups];
}

describe.each(Object.keys(RUNTIMES) as (keyof typeof RUNTIMES)[])('with %s', (runtime) => {
  test('execSync() hands back both streams, byte for byte, and the exit code', async () => {
    await using node = await TestNode.open(runtime);
    const container = await node.run(['sleep', '1000']);
    const result = await node.exec(container, [
      'sh',
      '-c',
      String.raw`printf 'a\000\377b'; echo err >&2; exit 7`,
    ]);
    expect(result).toEqual({
      stdout: Buffer.from([0x61, 0, 0xff, 0x62]),
      stderr: Buffer.from('err\n'),
      exitCode: 7,
    });
    expect(await leftOvers(node, container)).toEqual([]);
  });

  test('execSync() kills a command that takes too long, with all that it started', async () => {
    await using node = await TestNode.open(runtime);
    const container = await node.run(['sleep', '1000']);
    const command = 'setsid sleep 2001 & (setsid sh -c "sleep 2002; true" &) ; nohup sleep 2003 & sleep 2004';
    const execution = node.exec(container, ['sh', '-c', command], { timeoutMs: 500 });
    await expect(execution).rejects.toMatchObject({ code: 'deadline_exceeded' });
    expect(await leftOvers(node, container)).toEqual([]);
    expect((await node.exec(container, ['true'])).exitCode).toBe(0);
  });

  test('execSync() says which program is missing', async () => {
    await using node = await TestNode.open(runtime);
    const container = await node.run(['sleep', '1000']);
    await expect(node.exec(container, ['nosuch'])).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringMatching(
        /^cannot exec in container "[0-9a-f]+": .*nosuch.* not found in \$PATH/,
      ) as string,
    });
    expect(await leftOvers(node, container)).toEqual([]);
  });

  test('execSync() does not wait for what the command leaves behind', async () => {
    await using node = await TestNode.open(runtime);
    const container = await node.run(['sleep', '1000']);
    const started = Date.now();
    const result = await node.exec(container, ['sh', '-c', 'sleep 1000 & echo done; exit 3']);
    expect({ ...result, stdout: result.stdout.toString() }).toMatchObject({ stdout: 'done\n', exitCode: 3 });
    expect(Date.now() - started).toBeLessThan(8000); // it would be a thousand seconds
  });
});

test('execSync() cannot run what is no program', async () => {
  await using node = await TestNode.open('runc');
  const container = await node.run(['sleep', '1000']);
  await expect(node.exec(container, ['/bin/data'])).rejects.toMatchObject({ code: 'invalid_argument' });
});

test('execSync() kills the command when the caller goes away', async () => {
  await using node = await TestNode.open('runc');
  const container = await node.run(['sleep', '1000']);
  const call = { ...testCall, signal: AbortSignal.timeout(300) };
  await expect(node.exec(container, ['sleep', '2000'], { call })).rejects.toMatchObject({
    name: 'TimeoutError',
  });
  expect(await leftOvers(node, container)).toEqual([]);
});

test.for([1, 5, 10, 15, 20, 30])(
  'execSync() leaves nothing when the time is up after %i ms, while the runtime is starting',
  async (timeoutMs) => {
    await using node = await TestNode.open('runc');
    const container = await node.run(['sleep', '1000']);
    const execution = node.exec(container, ['sleep', '2000'], { timeoutMs });
    await expect(execution).rejects.toMatchObject({ code: 'deadline_exceeded' });
    expect(await leftOvers(node, container)).toEqual([]);
  },
);

test('execSync() keeps the first 16 MiB of an output and lets the command go on', async () => {
  await using node = await TestNode.open('runc');
  const container = await node.run(['sleep', '1000']);
  const command = 'head -c 20000000 /dev/zero; echo end >&2';
  const { stdout, stderr, exitCode } = await node.exec(container, ['sh', '-c', command]);
  expect([stdout.length, stderr.toString(), exitCode]).toEqual([16 * 1024 * 1024, 'end\n', 0]);
});

test('execSync() runs as the user, in the directory and with the environment of the container', async () => {
  await using node = await TestNode.open('runc');
  const container = await node.run(['sleep', '1000'], {
    spec: {
      user: { uid: 1000, gid: 1001, additionalGids: [1001, 1002] },
      cwd: '/tmp',
      env: [{ name: 'COLOUR', value: 'blue' }],
    },
  });
  const command = 'id -u; id -G; pwd; echo $COLOUR';
  const { stdout } = await node.exec(container, ['sh', '-c', command]);
  expect(stdout.toString()).toBe('1000\n1001 1002\n/tmp\nblue\n');
});

test('execSync() reports a death by signal as a shell does', async () => {
  await using node = await TestNode.open('runc');
  const container = await node.run(['sleep', '1000']);
  expect((await node.exec(container, ['sh', '-c', 'kill -9 $$'])).exitCode).toBe(137);
});

test('many execs at once keep apart', async () => {
  await using node = await TestNode.open('runc');
  const container = await node.run(['sleep', '1000']);
  const numbers = Array.from({ length: 12 }, (_, index) => String(index));
  const results = await Promise.all(numbers.map((number) => node.exec(container, ['echo', number])));
  expect(results.map(({ stdout }) => stdout.toString().trim())).toEqual(numbers);
  expect(await leftOvers(node, container)).toEqual([]);
});
