import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Cgroups } from '../sys/cgroup.ts';
import { readKernelLimits } from './kernel-limits.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'davit-test-'));
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

function files(texts: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(texts)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), `${text}\n`);
  }
}

const mount = (name: string, fsType: string, superOptions: readonly string[]) => ({
  ...{ target: join(dir, name), root: '/', fsType, source: 'cgroup', options: [], superOptions },
  peers: { shared: false, slave: false },
});

const v1 = () =>
  Cgroups.fromMounts([
    mount('cpu,cpuacct', 'cgroup', ['rw', 'cpu', 'cpuacct']),
    mount('cpuset', 'cgroup', ['rw', 'cpuset']),
    mount('memory', 'cgroup', ['rw', 'memory']),
    mount('hugetlb', 'cgroup', ['rw', 'hugetlb']),
  ]);

const v2 = () => Cgroups.fromMounts([mount('', 'cgroup2', ['rw'])]);

test('of version 1 each limit is in the hierarchy of its controller', async () => {
  files({
    'cpu,cpuacct/a/cpu.shares': '512',
    'cpu,cpuacct/a/cpu.cfs_quota_us': '50000',
    'cpu,cpuacct/a/cpu.cfs_period_us': '100000',
    'cpuset/a/cpuset.cpus': '0-1',
    'cpuset/a/cpuset.mems': '0',
    'memory/a/memory.limit_in_bytes': '67108864',
    'memory/a/memory.memsw.limit_in_bytes': '134217728',
    'hugetlb/a/hugetlb.2MB.limit_in_bytes': '4194304',
  });
  const hugepageLimits = [{ pageSize: '2MB', limitBytes: 0n }];
  expect(await readKernelLimits(v1(), '/a', { hugepageLimits, unified: { 'memory.high': '1' } })).toEqual({
    cpuShares: 512n,
    cpuQuota: 50_000n,
    cpuPeriod: 100_000n,
    cpusetCpus: '0-1',
    cpusetMems: '0',
    memoryLimitBytes: 67_108_864n,
    memorySwapLimitBytes: 134_217_728n,
    hugepageLimits: [{ pageSize: '2MB', limitBytes: 4_194_304n }],
    unified: {},
  });
});

test('of version 1 no limit is a great number, or less than nothing', async () => {
  files({
    'cpu,cpuacct/a/cpu.cfs_quota_us': '-1',
    'memory/a/memory.limit_in_bytes': '9223372036854771712',
  });
  expect(await readKernelLimits(v1(), '/a', {})).toMatchObject({
    cpuQuota: undefined,
    memoryLimitBytes: undefined,
    memorySwapLimitBytes: undefined,
  });
});

test('of version 2 swap is counted by itself, and files that were asked for are read', async () => {
  files({
    'a/cpu.weight': '39',
    'a/cpu.max': '50000 100000',
    'a/cpuset.cpus': '',
    'a/cpuset.cpus.effective': '0-3',
    'a/cpuset.mems.effective': '0',
    'a/memory.max': '67108864',
    'a/memory.swap.max': '1048576',
    'a/memory.high': '33554432',
    'a/hugetlb.1GB.max': 'max',
  });
  const hugepageLimits = [{ pageSize: '1GB', limitBytes: 0n }];
  const unified = { 'memory.high': '32M', 'io.weight': '5' };
  expect(await readKernelLimits(v2(), '/a', { hugepageLimits, unified })).toEqual({
    cpuWeight: 39n,
    cpuQuota: 50_000n,
    cpuPeriod: 100_000n,
    cpusetCpus: '',
    cpusetMems: undefined,
    effectiveCpus: '0-3',
    effectiveMems: '0',
    memoryLimitBytes: 67_108_864n,
    memorySwapLimitBytes: 68_157_440n,
    hugepageLimits: [{ pageSize: '1GB', limitBytes: 1n << 62n }],
    unified: { 'memory.high': '33554432' },
  });
});

test('of version 2 no limit is a word', async () => {
  files({ 'a/cpu.max': 'max 100000', 'a/memory.max': 'max', 'a/memory.swap.max': 'max' });
  expect(await readKernelLimits(v2(), '/a', {})).toMatchObject({
    cpuQuota: undefined,
    cpuPeriod: 100_000n,
    memoryLimitBytes: undefined,
    memorySwapLimitBytes: undefined,
  });
});

test('a group that is gone has no limits', async () => {
  files({ 'b/memory.max': '1' });
  expect(await readKernelLimits(v2(), '/a', {})).toMatchObject({ memoryLimitBytes: undefined, unified: {} });
});
