// ExecSync: a command in a container that runs, to its end or its time.

import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { isCgroupV2 } from './harness/cgroups.ts';
import { eventually } from './harness/eventually.ts';
import { patience } from './harness/patience.ts';
import { TestPod } from './harness/pod.ts';
import { refusalOf } from './harness/refusal.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode();

/** Processes of this machine that are called with exactly these arguments. */
function running(...args: readonly string[]): number[] {
  const wanted = `${args.join('\0')}\0`;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1') === wanted;
      } catch {
        return false;
      }
    });
}

test('the output of a command comes back to the byte, each stream by itself, with its exit code', async () => {
  const pod = await TestPod.run(node);
  const { id } = await pod.start();
  const cmd = ['sh', '-c', `printf '\\000\\377\\n\\n'; printf err >&2; exit 9`];
  const answer = await node.client.execSync({ containerId: id, cmd });
  expect(answer).toEqual({
    stdout: Buffer.from([0, 0xff, 0x0a, 0x0a]),
    stderr: Buffer.from('err'),
    exitCode: 9,
  });
});

test('a megabyte on each stream comes back whole', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start();
  const script = 'yes out | head -c 1048576; yes err | head -c 1048576 >&2';
  const { stdout, stderr } = await container.exec(['sh', '-c', script]);
  expect(stdout).toBe('out\n'.repeat(262144));
  expect(stderr).toBe('err\n'.repeat(262144));
});

test('a command runs as the user of the container, in its directory, with its environment', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start({
    env: { COLOUR: 'green' },
    security: { runAsUser: { value: 1000n } },
    config: { workingDir: '/www' },
  });
  const { stdout } = await container.exec(['sh', '-c', 'id -u; pwd; echo $COLOUR $FROM_IMAGE']);
  expect(stdout).toBe('1000\n/www\ngreen yes\n');
});

test('a command is in the namespaces and the cgroup of its container', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start();
  const { cgroupPath } = await container.info();
  const { stdout } = await container.exec(['sh', '-c', 'ps -o pid,comm; cat /proc/self/cgroup; hostname']);
  expect(stdout).toMatch(/^ *1 sh$/m);
  expect(stdout).toContain(`${pod.config.hostname ?? ''}\n`);
  expect(stdout).toMatch(isCgroupV2 ? /^0::\/exec-\w+$/m : `memory:${cgroupPath}`);
});

test('a command that runs for too long is killed with all that it started, and the deadline is told', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start();
  const begunAt = performance.now();
  const slow = container.exec(['sh', '-c', 'setsid sleep 7654 & sleep 7654'], 1);
  expect(await refusalOf(slow)).toEqual({
    code: 'DEADLINE_EXCEEDED',
    message: `command in container "${container.id}" timed out after 1000 ms`,
  });
  expect(performance.now() - begunAt).toBeLessThan(patience(5000));
  await eventually('nothing of the command is left', () => running('sleep', '7654').length === 0);
  expect((await container.exec(['echo', 'it still runs'])).stdout).toBe('it still runs\n');
});

test('a caller who hangs up takes its command along', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start();
  const caller = new AbortController();
  const cmd = ['sleep', '8765'];
  const call = node.client.execSync({ containerId: container.id, cmd }, { signal: caller.signal });
  await eventually('the command runs', () => running(...cmd).length === 1);
  caller.abort();
  await expect(call).rejects.toThrow('aborted');
  await eventually('the command is gone', () => running(...cmd).length === 0);
});

test('a child that stays in the background does not keep the answer back', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start();
  const begunAt = performance.now();
  const { stdout, exitCode } = await container.exec(['sh', '-c', 'sleep 9876 & echo started'], 20);
  expect({ stdout, exitCode }).toEqual({ stdout: 'started\n', exitCode: 0 });
  expect(performance.now() - begunAt).toBeLessThan(patience(10_000));
});

test('many commands at the same time do not get in each other’s way', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start();
  const words = Array.from({ length: 10 }, (_, index) => `word ${index}`);
  const answers = await Promise.all(words.map((word) => container.exec(['echo', word])));
  expect(answers.map(({ stdout }) => stdout)).toEqual(words.map((word) => `${word}\n`));
});

test('a program that the container does not have is told by its name', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start();
  const { code, message } = await refusalOf(container.exec(['no-such-program']));
  expect(code).toBe('INVALID_ARGUMENT');
  expect(message).toContain(`cannot exec in container "${container.id}"`);
  expect(message).toContain('no-such-program');
});

test('no command at all is refused', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start();
  expect(await refusalOf(container.exec([]))).toEqual({ code: 'INVALID_ARGUMENT', message: 'cmd is empty' });
});

test('a container that does not run takes no commands', async () => {
  const pod = await TestPod.run(node);
  const [created, ended] = [
    await pod.create({ name: 'a' }),
    await pod.start({ name: 'b', command: ['true'] }),
  ];
  await ended.waitForExit();
  expect(await refusalOf(created.exec(['true']))).toEqual({
    code: 'FAILED_PRECONDITION',
    message: `cannot run a command in container "${created.id}": it is created`,
  });
  expect(await refusalOf(ended.exec(['true']))).toEqual({
    code: 'FAILED_PRECONDITION',
    message: `cannot run a command in container "${ended.id}": it is exited`,
  });
});

test('a container that ends under a command ends it, too', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start();
  const call = container.exec(['sleep', '6543']);
  await eventually('the command runs', () => running('sleep', '6543').length === 1);
  await container.stop(0);
  expect((await call.catch(() => ({ exitCode: 137 }))).exitCode).toBe(137);
});
