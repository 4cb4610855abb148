import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { testCall } from '../base/testing/call.ts';
import { exec, run } from './exec.ts';
import { identifyNow, isAlive } from './process-identity.ts';
import { signal } from './process.ts';
import { tempDir } from './testing/temp-dir.ts';

const shell = (script: string) => ({ file: '/bin/sh', args: ['-c', script] });

test('run() returns what the program wrote, and its exit code', async () => {
  const result = await run(testCall, shell('echo out; echo err >&2; exit 3'));
  expect(result).toEqual({
    exit: { kind: 'exited', code: 3 },
    stdout: Buffer.from('out\n'),
    stderr: Buffer.from('err\n'),
  });
});

test('run() hands on the input, more than a pipe holds', async () => {
  const input = Buffer.alloc(1_000_000, 'x');
  const { stdout } = await run(testCall, { file: '/bin/cat', args: [], input });
  expect(stdout.equals(input)).toBe(true);
});

test('run() does not mind a program that does not read its input', async () => {
  const { exit } = await run(testCall, { ...shell('exit 0'), input: Buffer.alloc(1_000_000) });
  expect(exit).toEqual({ kind: 'exited', code: 0 });
});

test('run() keeps as much as it may and lets the program write on', async () => {
  const { exit, stdout } = await run(testCall, {
    ...shell('head -c 1000000 /dev/zero; exit 5'),
    limitBytes: 10,
  });
  expect([exit, stdout.length]).toEqual([{ kind: 'exited', code: 5 }, 10]);
});

test('run() kills the program when the caller leaves', async () => {
  const caller = new AbortController();
  const running = run({ signal: caller.signal }, shell('exec sleep 100'));
  setImmediate(() => {
    caller.abort(new Error('gone'));
  });
  await expect(running).rejects.toThrow('gone');
});

test('run() kills what the program has started, if that is wanted', async () => {
  const caller = new AbortController();
  using dir = tempDir();
  const file = dir.join('pid');
  const running = run(
    { signal: caller.signal },
    { ...shell(`sleep 100 & echo $! > ${file}.new; mv ${file}.new ${file}; wait`), endsAll: true },
  );
  await expect.poll(() => existsSync(file)).toBe(true);
  const child = identifyNow(Number(readFileSync(file, 'utf8')))!;
  caller.abort(new Error('gone'));
  await expect(running).rejects.toThrow('gone');
  await expect.poll(() => isAlive(child)).toBe(false);
});

test('run() starts nothing for a caller who has left', async () => {
  const gone = AbortSignal.abort(new Error('gone'));
  await expect(run({ signal: gone }, { file: '/nonexistent', args: [] })).rejects.toThrow('gone');
});

test('run() does not wait for what the program leaves behind with its pipes', async () => {
  const { exit, stdout } = await run(testCall, shell('sleep 100 & echo $!'));
  const left = identifyNow(Number(stdout.toString()))!;
  expect([exit, await isAlive(left)]).toEqual([{ kind: 'exited', code: 0 }, true]);
  await signal(left, 'SIGKILL');
});

test('exec() returns text', async () => {
  expect(await exec(testCall, shell('echo é'))).toEqual({ stdout: 'é\n', stderr: '' });
});

test('exec() takes the last line on stderr for the reason', async () => {
  await expect(exec(testCall, shell('echo first >&2; echo last >&2; exit 2'))).rejects.toMatchObject({
    code: 'internal',
    message: '/bin/sh failed: last',
    detail: { exitCode: 2 },
  });
});

test('exec() names the signal that killed a silent program', async () => {
  await expect(exec(testCall, shell('kill -9 $$'))).rejects.toMatchObject({
    message: '/bin/sh failed: killed by signal 9',
    detail: { killedBy: 9 },
  });
});
