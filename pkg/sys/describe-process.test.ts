import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';
import { describeProcess } from './describe-process.ts';
import { identifyNow } from './process-identity.ts';

test('describeProcess() says what a process does, and that it is gone', async () => {
  const child = spawn('/bin/sleep', ['60']);
  const identity = identifyNow(child.pid ?? 0) ?? { pid: 2, startTicks: '' };
  await expect.poll(() => describeProcess(identity)).toContain(`process ${identity.pid} sleeps`);
  expect(await describeProcess({ ...identity, startTicks: '1' })).toBe(`process ${identity.pid} is gone`);
  child.kill('SIGKILL');
  await new Promise((ended) => child.once('exit', ended));
  expect(await describeProcess(identity)).toBe(`process ${identity.pid} is gone`);
});
