import { closeSync } from 'node:fs';
import { expect, test } from 'vitest';
import { whenReadable } from './poll.ts';
import { pidfdOpen, pidfdSendSignal, waitpidNow } from './process.ts';
import { posixSpawn } from './spawn.ts';

test('posixSpawn(), pidfd and waitpidNow() carry a process from its start to its end', async () => {
  const pid = posixSpawn({
    file: '/bin/sleep',
    argv: ['sleep', '100'],
    envp: [],
    actions: [],
    newSession: true,
  });
  const pidfd = pidfdOpen(pid);
  expect(waitpidNow(pid)).toBeUndefined();
  pidfdSendSignal(pidfd, 9);
  const { promise, resolve } = Promise.withResolvers<undefined>();
  using _watch = whenReadable(pidfd, () => {
    resolve(undefined);
  });
  await promise;
  expect(waitpidNow(pid)).toBe(9);
  expect(() => waitpidNow(pid)).toThrow('ECHILD');
  expect(() => {
    pidfdSendSignal(pidfd, 9);
  }).toThrow('ESRCH');
  closeSync(pidfd);
});
