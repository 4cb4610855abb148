import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { testCall } from '../../base/testing/call.ts';
import { inspectHost, type HostDeps } from './host.ts';

const dirs: string[] = [];
afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true });
});

/** A /proc of a host on which all is well, but for `changes`. */
function proc(changes: Readonly<Record<string, string>> = {}): string {
  const dir = mkdtempSync(join(tmpdir(), 'host-'));
  dirs.push(dir);
  const files = {
    filesystems: 'nodev\toverlay\n\text4\n',
    'self/limits': 'Max open files            524288               524288               files     \n',
    'sys/net/ipv4/ip_forward': '1\n',
    ...changes,
  };
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), text);
  }
  return dir;
}

async function subjects(changes: Partial<HostDeps>): Promise<string[]> {
  const deps: HostDeps = {
    root: '/proc', // has neither a size nor inodes: never full
    handlers: () => [],
    programs: {},
    cgroups: { hasController: () => Promise.resolve(true) },
    network: () => ({ ready: true, message: '' }),
    proc: proc(),
    now: () => new Date('2030-01-01'),
    ...changes,
  };
  return (await inspectHost(deps)(testCall)).map(({ subject }) => subject);
}

test('of a good host there is nothing to say', async () => {
  expect(await subjects({})).toEqual([]);
});

test.each<[string, Partial<HostDeps>, string]>([
  ['a missing program', { programs: { monitor: '/no/such' } }, '/no/such'],
  [
    'a controller that is off',
    { cgroups: { hasController: (name) => Promise.resolve(name !== 'memory') } },
    'cgroup controller memory',
  ],
  [
    'a network that is not ready',
    { network: () => ({ ready: false, message: 'no configuration' }) },
    'network of pods',
  ],
  ['a clock in the past', { now: () => new Date('1970-01-02') }, 'clock'],
])('%s is told of', async (_, changes, subject) => {
  expect(await subjects(changes)).toEqual([subject]);
});

test.each([
  ['filesystems', 'nodev\tproc\n', 'overlayfs'],
  [
    'self/limits',
    'Max open files            1024                 4096                 files     \n',
    'limit of open files',
  ],
  ['sys/net/ipv4/ip_forward', '0\n', 'sysctl net.ipv4.ip_forward'],
  ['sys/net/bridge/bridge-nf-call-iptables', '0\n', 'sysctl net.bridge.bridge-nf-call-iptables'],
])('/proc/%s that says %j is told of', async (file, text, subject) => {
  expect(await subjects({ proc: proc({ [file]: text }) })).toEqual([subject]);
});
