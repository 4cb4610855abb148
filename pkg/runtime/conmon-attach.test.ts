import { once } from 'node:events';
import { statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { attachToConmon, type ConmonAttachment } from './conmon-attach.ts';
import { eventually, TestNode, type TestContainer } from './testing/test-node.ts';

interface Attached extends ConmonAttachment {
  readonly stdout: () => string;
  readonly stderr: () => string;
}

async function attach(container: TestContainer): Promise<Attached> {
  const chunks = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  const attachment = await attachToConmon(container, (name, chunk) => chunks[name].push(chunk));
  return {
    ...attachment,
    stdout: () => Buffer.concat(chunks.stdout).toString(),
    stderr: () => Buffer.concat(chunks.stderr).toString(),
    [Symbol.asyncDispose]: () => attachment[Symbol.asyncDispose](),
  };
}

const withStdin = { shim: { stdin: true, stdinOnce: true } };

test('an attachment carries both outputs, and input to its end', async () => {
  await using node = await TestNode.open('runc');
  const container = await node.create(['sh', '-c', 'cat; echo end >&2'], withStdin);
  await using attached = await attach(container);
  await node.start(container);
  attached.stdin.end('hello');
  await attached.ended;
  expect([attached.stdout(), attached.stderr()]).toEqual(['hello', 'end\n']);
});

test('input that is longer than a packet arrives whole', async () => {
  await using node = await TestNode.open('runc');
  const container = await node.create(['cat'], withStdin);
  await using attached = await attach(container);
  await node.start(container);
  const text = Array.from({ length: 40_000 }, (_, i) => `line ${i}`).join('\n');
  attached.stdin.end(text);
  await attached.ended;
  expect(attached.stdout() === text).toBe(true);
});

test('several attachments get the same output, and each its own end', async () => {
  await using node = await TestNode.open('runc');
  const container = await node.create(['sh', '-c', 'read x; echo $x; read y; echo $y'], {
    shim: { stdin: true, stdinOnce: false },
  });
  const [first, second] = [await attach(container), await attach(container)];
  await node.start(container);
  first.stdin.write('one\n');
  await eventually('both see it', () => first.stdout() === 'one\n' && second.stdout() === 'one\n');
  await first[Symbol.asyncDispose]();
  second.stdin.write('two\n');
  await second.ended;
  expect(second.stdout()).toBe('one\ntwo\n');
});

test('input that its container does not read stops the writer, and not the log', async () => {
  await using node = await TestNode.open('runc');
  const container = await node.run(['sh', '-c', 'while true; do echo line; sleep 0.01; done'], withStdin);
  await using attached = await attach(container);
  attached.stdin.write(Buffer.alloc(4 * 1024 * 1024));
  await delay(300);
  const before = statSync(container.logPath).size;
  await eventually('the log grows', () => statSync(container.logPath).size > before);
  expect(attached.stdin.writableLength).toBeGreaterThan(0);
});

test('a container whose conmon is gone cannot be attached to', async () => {
  await using node = await TestNode.open('runc');
  const container = await node.run(['true']);
  await node.exited(container);
  await eventually('conmon is gone', () => !processIsThere(container.shim.pid));
  await expect(attach(container)).rejects.toMatchObject({ code: 'failed_precondition' });
});

function processIsThere(pid: number): boolean {
  try {
    statSync(`/proc/${pid}`);
    return true;
  } catch {
    return false;
  }
}

test('an attachment that is disposed ends, and writing to it then is no error of ours', async () => {
  await using node = await TestNode.open('runc');
  const container = await node.run(['sleep', '1000'], withStdin);
  const attached = await attach(container);
  await attached[Symbol.asyncDispose]();
  await attached.ended;
  if (!attached.stdin.destroyed) await once(attached.stdin, 'close');
  attached.stdin.write('x');
});
