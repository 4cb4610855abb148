import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { testCall } from '../base/testing/call.ts';
import { mountIdmapped } from './idmapped-mount.ts';
import { bindMount, mountTmpfs, unmount } from './mount.ts';
import { tempDir } from './testing/temp-dir.ts';
import { inUserNamespace } from './user-namespace.ts';

const mapping = { hostId: 327_680, length: 65_536 };

/** A directory and a target for it, with nothing mounted afterwards. */
function makeDirs() {
  const dir = tempDir();
  const [source, target] = [dir.join('source'), dir.join('target')];
  for (const path of [source, target]) mkdirSync(path);
  writeFileSync(`${source}/file`, 'x');
  const clear = () => {
    for (const path of [target, `${source}/below`]) unmount(path);
    dir[Symbol.dispose]();
  };
  return { source, target, [Symbol.dispose]: clear };
}

const withUsers = (body: (userNamespace: string) => void) =>
  inUserNamespace(testCall, { types: [], mapping }, (pid) => {
    body(`/proc/${pid}/ns/user`);
  });

test('mountIdmapped() shows owners mapped, both ways', async () => {
  using dirs = makeDirs();
  const { source, target } = dirs;
  await withUsers((userNamespace) => {
    mountIdmapped({ source, target, userNamespace });
  });
  expect(statSync(`${target}/file`).uid).toBe(mapping.hostId);
  expect(statSync(`${source}/file`).uid).toBe(0);
});

test('mountIdmapped() maps a file, and may be repeated', async () => {
  using dirs = makeDirs();
  const { source, target } = dirs;
  writeFileSync(`${target}/here`, '');
  await withUsers((userNamespace) => {
    const options = { source: `${source}/file`, target: `${target}/here`, userNamespace };
    for (let times = 0; times < 2; times++) mountIdmapped(options);
  });
  expect(readFileSync(`${target}/here`, 'utf8')).toBe('x');
  expect(statSync(`${target}/here`).gid).toBe(mapping.hostId);
  unmount(`${target}/here`);
});

test('mountIdmapped() maps what is mounted below, too', async () => {
  using dirs = makeDirs();
  const { source, target } = dirs;
  mkdirSync(`${source}/below`);
  mountTmpfs(`${source}/below`, { mode: 0o700 });
  await withUsers((userNamespace) => {
    mountIdmapped({ source, target, userNamespace });
  });
  expect(statSync(`${target}/below`).uid).toBe(mapping.hostId);
});

test('a mount below that cannot be mapped does not keep the one above from it', async () => {
  using dirs = makeDirs();
  const { source, target } = dirs;
  mkdirSync(`${source}/below`);
  await withUsers((userNamespace) => {
    bindMount('/proc/sys', `${source}/below`);
    mountIdmapped({ source, target, userNamespace });
  });
  expect(statSync(`${target}/file`).uid).toBe(mapping.hostId);
});

test('a read-only one cannot be written', async () => {
  using dirs = makeDirs();
  const { source, target } = dirs;
  await withUsers((userNamespace) => {
    mountIdmapped({ source, target, userNamespace, readonly: true });
  });
  expect(() => {
    writeFileSync(`${target}/file`, 'y');
  }).toThrow('EROFS');
});

test('a file system that cannot map ids says so, and nothing is mounted', async () => {
  using dirs = makeDirs();
  const { target } = dirs;
  await withUsers((userNamespace) => {
    expect(() => {
      mountIdmapped({ source: '/proc', target, userNamespace });
    }).toThrow('EINVAL');
  });
  expect(statSync(target).dev).toBe(statSync(dirs.source).dev);
});
