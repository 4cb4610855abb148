// Logs: what a container writes stands in its file as the CRI has it, line for line, also while it is rotated.

import { existsSync, readFileSync, renameSync, statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { eventually } from './harness/eventually.ts';
import { readLog } from './harness/log.ts';
import { TestPod } from './harness/pod.ts';
import { refusalOf } from './harness/refusal.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode();

/** One line each few milliseconds, numbered. */
const COUNT = ['sh', '-c', 'i=0; while :; do i=$((i+1)); echo line $i; usleep 2000; done'];

function numbersOf(paths: readonly string[]): number[] {
  return paths
    .flatMap((path) => readLog(path))
    .map(({ content }) => Number(/^line (\d+)$/.exec(content.toString())?.[1]));
}

test('every line has its time, its stream and a tag, in the order in which it was written', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start({
    command: ['sh', '-c', 'echo out; sleep 0.1; echo err >&2; sleep 0.1; echo'],
  });
  const { startedAt, finishedAt } = await container.waitForExit();
  const lines = container.log();
  expect(lines.map(({ stream, partial, content }) => [stream, partial, content.toString()])).toEqual([
    ['stdout', false, 'out'],
    ['stderr', false, 'err'],
    ['stdout', false, ''],
  ]);
  for (const { timeNs } of lines) {
    expect(timeNs).toBeGreaterThan(startedAt - 50_000_000n);
    expect(timeNs).toBeLessThan(finishedAt + 50_000_000n);
  }
  expect(readFileSync(container.logPath, 'utf8')).toMatch(
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}(Z|[+-]\d\d:\d\d) stdout F out\n/,
  );
});

test('a long line is cut into partial ones, and a last line without end is partial', async () => {
  const pod = await TestPod.run(node);
  const command = ['sh', '-c', `head -c 20000 /dev/zero | tr '\\0' x; echo; printf unfinished`];
  const container = await pod.start({ command });
  await container.waitForExit();
  const lines = container.log();
  expect(container.logText('stdout')).toBe(`${'x'.repeat(20000)}\nunfinished`);
  expect(lines.length).toBeGreaterThan(2);
  expect(lines.at(-1)?.partial).toBe(true);
});

test('bytes that are no text come through unchanged', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start({ command: ['printf', '\\377\\000\\001\\n'] });
  await container.waitForExit();
  expect(container.log().map(({ content }) => content)).toEqual([Buffer.from([0xff, 0, 1])]);
});

test('everything that was written is in the log when the exit is told', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start({ command: ['seq', '1', '20000'] });
  await container.waitForExit();
  expect(container.logText('stdout').trimEnd().split('\n')).toHaveLength(20000);
});

test('only root may read a log, since secrets may be in it', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start({ command: ['echo', 'secret'] });
  await container.waitForExit();
  expect(statSync(container.logPath).mode & 0o007).toBe(0);
});

test('a rotation loses no line and writes none twice, while the container goes on', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start({ command: COUNT });
  const files = [1, 2, 3].map((number) => `${container.logPath}.${number}`);
  let seen = 0;
  for (const file of files) {
    await container.waitForLog(`line ${seen + 20}`);
    renameSync(container.logPath, file);
    await node.client.reopenContainerLog({ containerId: container.id });
    seen = numbersOf([file]).at(-1) ?? 0;
  }
  await container.waitForLog(`line ${seen + 20}`);
  await container.stop(0);
  const numbers = numbersOf([...files, container.logPath]);
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
});

test('rotations under full output lose no line and write none twice, also when asked for twice at once', async () => {
  const pod = await TestPod.run(node);
  const end = '/dev/shm/end';
  const flood = `n=0; while ! [ -e ${end} ]; do seq $((n+1)) $((n+20000)); n=$((n+20000)); done`;
  const container = await pod.start({ command: ['sh', '-c', flood] });
  const files = [1, 2, 3, 4, 5].map((number) => `${container.logPath}.${number}`);
  for (const file of files) {
    await eventually('much is written', () => statSync(container.logPath).size > 1_000_000);
    renameSync(container.logPath, file);
    const reopen = () => node.client.reopenContainerLog({ containerId: container.id });
    await Promise.all([reopen(), reopen()]);
  }
  await container.exec(['touch', end]);
  await container.waitForExit();
  const lines = [...files, container.logPath].flatMap((path) => readLog(path));
  const text = lines.map(({ content, partial }) => `${content.toString()}${partial ? '' : '\n'}`).join('');
  const numbers = text.trimEnd().split('\n').map(Number);
  expect(numbers.length).toBeGreaterThan(5 * 20_000);
  expect(numbers.findIndex((number, index) => number !== index + 1)).toBe(-1);
});

test('reopening a log that was not moved changes nothing', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start({ command: COUNT });
  await container.waitForLog('line 5');
  await node.client.reopenContainerLog({ containerId: container.id });
  await container.waitForLog('line 20');
  await container.stop(0);
  const numbers = numbersOf([container.logPath]);
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
});

test('the log of a container that has ended is not reopened, and no file is made', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start({ command: ['echo', 'done'] });
  await container.waitForExit();
  renameSync(container.logPath, `${container.logPath}.1`);
  expect(await refusalOf(node.client.reopenContainerLog({ containerId: container.id }))).toEqual({
    code: 'FAILED_PRECONDITION',
    message: `cannot reopen the log of container "${container.id}": it is exited`,
  });
  expect(existsSync(container.logPath)).toBe(false);
});

test('a container without a log path runs and writes none', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start({ command: ['echo', 'nobody hears'], config: { logPath: '' } });
  expect(await container.waitForExit()).toMatchObject({ exitCode: 0, logPath: '' });
});

test('a log path that leads out of the directory of the pod is refused', async () => {
  const pod = await TestPod.run(node);
  expect(await refusalOf(pod.create({ config: { logPath: '../../escape.log' } }))).toEqual({
    code: 'INVALID_ARGUMENT',
    message: 'config.log_path "../../escape.log" leads out of the log directory',
  });
});
