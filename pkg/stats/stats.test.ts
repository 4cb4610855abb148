import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { silentLog, testCall } from '../base/testing/call.ts';
import { Cgroups } from '../sys/cgroup.ts';
import { listMounts } from '../sys/mountinfo.ts';
import { tempDir } from '../sys/testing/temp-dir.ts';
import { cgroupOfItsOwn } from '../sys/testing/cgroup-name.ts';
import { findCgroupRoots } from './cgroup-roots.ts';
import { Stats } from './stats.ts';

const MIB = 1024n * 1024n;
const HUNGER = { cpuMs: 600, memoryBytes: 64 * 1024 * 1024, sockets: 5 };

function open(layersRoot: string): Promise<Stats> {
  return Stats.open({
    networkPath: (id) => `${layersRoot}/${id}/net`,
    layerPath: (id) => `${layersRoot}/${id}/fs`,
    layersRoot,
    log: silentLog,
  });
}

test('what a process uses is what the kernel says of its group', async () => {
  await using group = await temporaryGroup();
  await using busy = await busyProcess(group.dirs);
  await using stats = await open('/tmp');
  const before = (await stats.groups(testCall, [group.path])).get(group.path);
  await delay(1100); // a sample is good for a second

  await busy.eat();
  const usage = (await stats.detailedGroups(testCall, [group.path, '/gone'])).get(group.path);

  const cpuMs = Number(usage!.cpu.usageNs - before!.cpu.usageNs) / 1e6;
  expect(cpuMs).toBeGreaterThanOrEqual(HUNGER.cpuMs);
  expect(cpuMs).toBeLessThan(1.3 * HUNGER.cpuMs);
  expect(usage!.memory.rssBytes).toBeGreaterThanOrEqual(64n * MIB);
  expect(usage!.memory.rssBytes).toBeLessThan(96n * MIB);
  expect(usage!.memory.workingSetBytes).toBeGreaterThanOrEqual(usage!.memory.rssBytes);
  expect(usage!.memory.pageFaults).toBeGreaterThan(0n);
  expect(usage!.processes).toBe(1);
  expect(usage!.cpu.nanoCores).toBeGreaterThan(0n);
  expect(usage!.detail?.processes.threads).toBeGreaterThanOrEqual(2n);
  expect(usage!.detail?.processes.sockets).toBeGreaterThanOrEqual(HUNGER.sockets);
  expect(usage!.detail?.processes.openFiles).toBeGreaterThan(usage!.detail!.processes.sockets);
  expect(usage!.detail?.memory.peakBytes).toBeGreaterThanOrEqual(usage!.memory.rssBytes);
});

test('calls at the same time, and shortly after, are given the same sample', async () => {
  await using group = await temporaryGroup();
  await using stats = await open('/tmp');

  const [detailed, plain] = await Promise.all([
    stats.detailedGroups(testCall, [group.path]),
    stats.groups(testCall, [group.path]),
  ]);
  const later = await stats.groups(testCall, [group.path]);

  expect(plain.get(group.path)).toBe(detailed.get(group.path));
  expect(later.get(group.path)).toBe(detailed.get(group.path));
});

test('a group that is gone has no entry, nor has the network of a sandbox that is', async () => {
  await using stats = await open('/tmp');
  expect((await stats.groups(testCall, ['/davit-test-gone'])).size).toBe(0);
  expect((await stats.networks(testCall, ['gone'])).size).toBe(0);
});

test('a writable layer takes what was written to it', async () => {
  using dir = tempDir();
  mkdirSync(dir.join('c1/fs'), { recursive: true });
  writeFileSync(dir.join('c1/fs/data'), Buffer.alloc(1_000_000, 'x'));
  await using stats = await open(dir.path);
  await stats.groups(testCall, ['/davit-test-gone']); // on a slow machine the thread takes long to start

  const layers = await stats.layers(testCall, ['c1', 'gone']);

  expect([...layers.keys()]).toEqual(['c1']);
  expect(layers.get('c1')?.inodes).toBe(2n);
  expect(layers.get('c1')?.usedBytes).toBeGreaterThanOrEqual(1_000_000n);
  expect(layers.get('c1')?.usedBytes).toBeLessThan(1_050_000n);
});

test('a call that was given up is told so', async () => {
  await using stats = await open('/tmp');
  const call = { ...testCall, signal: AbortSignal.abort(new Error('left')) };
  await expect(stats.groups(call, ['/'])).rejects.toThrow('left');
});

interface TemporaryGroup extends AsyncDisposable {
  readonly path: string;
  /** One per hierarchy. */
  readonly dirs: readonly string[];
}

async function temporaryGroup(): Promise<TemporaryGroup> {
  const path = cgroupOfItsOwn();
  const cgroups = await Cgroups.detect();
  await cgroups.create(path);
  const found = findCgroupRoots(await listMounts());
  const roots = found.version === 2 ? [found.root] : Object.values(found.roots);
  return {
    path,
    dirs: [...new Set(roots)].map((root) => `${root}${path}`),
    [Symbol.asyncDispose]: () => cgroups.remove(path),
  };
}

interface BusyProcess extends AsyncDisposable {
  /** Until it has had enough. */
  eat(): Promise<void>;
}

async function busyProcess(dirs: readonly string[]): Promise<BusyProcess> {
  const program = new URL('testing/busy-process.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(child, 'spawn');
  for (const dir of dirs) writeFileSync(`${dir}/cgroup.procs`, String(child.pid));
  return {
    eat: async () => {
      child.stdin.write(`${JSON.stringify(HUNGER)}\n`);
      await once(child.stdout, 'data');
    },
    [Symbol.asyncDispose]: async () => {
      const exited = once(child, 'exit');
      child.stdin.end();
      await exited;
    },
  };
}
