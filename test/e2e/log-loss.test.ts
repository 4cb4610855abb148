// Logs that cannot be written: the container goes on, what is lost is counted, and there is a log again as soon as
// there can be one. Both wait for the daemon to look, every ten seconds, and so they do at the same time.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { test } from 'vitest';
import type { TestContainer } from './harness/container.ts';
import { eventually } from './harness/eventually.ts';
import { podConfig, TestPod } from './harness/pod.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode();

/** A disk of its own for the logs of a pod. */
function mountTmpfs(dir: string): Disposable {
  mkdirSync(dir, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', dir]);
  return {
    [Symbol.dispose]: () => {
      execFileSync('umount', ['-l', dir]);
    },
  };
}

async function startCounting(config = podConfig(node)): Promise<TestContainer> {
  const pod = await TestPod.run(node, { config });
  const count = 'i=0; while :; do i=$((i+1)); echo line $i; echo $i >/dev/shm/i; usleep 200; done';
  return await pod.start({ command: ['sh', '-c', count] });
}

async function countOf(container: TestContainer): Promise<number> {
  return Number((await container.exec(['cat', '/dev/shm/i'])).stdout);
}

/** What the daemon's own log says of a container, under this event. */
function told({ id }: TestContainer, event: string): boolean {
  const lines = readFileSync(node.place.daemonLog, 'utf8').split('\n');
  return lines.some((line) => line.includes(id) && line.includes(event));
}

test('a full disk and a log directory that is deleted cost lines, which are counted, and nothing else', async () => {
  const config = podConfig(node);
  using _disk = mountTmpfs(config.logDirectory ?? '');
  const [full, gone] = [await startCounting(config), await startCounting()];
  await eventually('it is written', () => existsSync(gone.logPath) && statSync(gone.logPath).size > 0);
  rmSync(gone.pod.config.logDirectory ?? '', { recursive: true });
  await eventually('there is a log again', () => existsSync(gone.logPath));
  await eventually('it is told', () => told(gone, 'log was gone, and is made again'));
  await gone.waitForLog(`line ${(await countOf(gone)) + 10}`);

  await eventually('what was dropped is counted', () => told(full, 'output was dropped'));
  const before = await countOf(full);
  await eventually('it is not held up', async () => (await countOf(full)) > before);
  execFileSync('mount', ['-o', 'remount,size=16m', config.logDirectory ?? '']);
  const next = `line ${(await countOf(full)) + 10}\n`;
  await eventually('it goes on', () => readFileSync(full.logPath, 'utf8').includes(next));
});
