import { closeSync, existsSync, openSync, readlinkSync } from 'node:fs';
import { once } from 'node:events';
import { hostname } from 'node:os';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { tempDir } from '../testing/temp-dir.ts';
import { CLONE_NEWUTS, sethostname, setns, unshare } from './namespace.ts';

/** The name of our namespace, such as `net:[4026531840]`. */
const namespaceOf = (type: string) => readlinkSync(`/proc/thread-self/ns/${type}`);

test('unshare(), sethostname() and setns() change the namespace of this thread and change it back', () => {
  const [before, name] = [namespaceOf('uts'), hostname()];
  const fd = openSync('/proc/thread-self/ns/uts', 'r');
  unshare(CLONE_NEWUTS);
  const inside = namespaceOf('uts');
  sethostname('davit-test');
  const nameInside = hostname();
  setns(fd, CLONE_NEWUTS);
  closeSync(fd);
  expect({ same: inside === before, nameInside }).toEqual({ same: false, nameInside: 'davit-test' });
  expect([namespaceOf('uts'), hostname()]).toEqual([before, name]);
});

test('chroot() and chdir() after unshare(CLONE_FS) confine a worker thread and nothing else', async () => {
  using dir = tempDir();
  const worker = new Worker(new URL('../testing/confined.ts', import.meta.url), { workerData: dir.path });
  const [seen] = (await once(worker, 'message')) as [string[]];
  await once(worker, 'exit');
  expect(seen).toEqual(['from-worker']);
  expect(existsSync('/proc/self')).toBe(true);
});
