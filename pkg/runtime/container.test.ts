// What a container really is, seen from inside.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { effectiveCapabilities, parseEffectiveCapabilities } from '../sys/capability.ts';
import { pinNamespaces, unpinNamespaces } from '../sys/namespace.ts';
import { DEFAULT_CAPABILITIES } from './capabilities.ts';
import { readAllDevices } from './host-devices.ts';
import { buildInitSpec } from './init-spec.ts';
import { encodeOciJson } from './oci-json.ts';
import { clampOomScoreAdj, lowestOomScoreAdj } from './oom-score.ts';
import { RUNTIMES, TestNode, type TestContainer, type TestOptions } from './testing/test-node.ts';

/** What a shell in a new container writes. */
async function ask(node: TestNode, script: string, options: TestOptions = {}): Promise<string> {
  const container = await node.run(['sleep', '1000'], options);
  return askIn(node, container, script);
}

async function askIn(node: TestNode, container: TestContainer, script: string): Promise<string> {
  const { stdout, stderr } = await node.exec(container, ['sh', '-c', script]);
  return `${stdout.toString()}${stderr.toString()}`.trim();
}

describe.each(Object.keys(RUNTIMES) as (keyof typeof RUNTIMES)[])('with %s', (runtime) => {
  test('a plain container has the default capabilities, and cannot write /sys, cgroups or /proc/sys', async () => {
    await using node = await TestNode.open(runtime);
    const cgroup = node.cgroups.version === 2 ? '/sys/fs/cgroup' : '/sys/fs/cgroup/memory';
    const files = ['/sys/x', `${cgroup}/cgroup.procs`, '/proc/sys/kernel/hostname'];
    const writes = files.map((path) => `echo 1 > ${path}`);
    const answer = await ask(node, `cat /proc/self/status; ${writes.join('; ')}`);
    const available = await effectiveCapabilities();
    const expected = DEFAULT_CAPABILITIES.filter((name) => available.has(name));
    expect([...parseEffectiveCapabilities(answer)].sort()).toEqual([...expected].sort());
    expect(answer.match(/Read-only file system|Permission denied/g)).toHaveLength(3);
  });

  test('a privileged container has all there is', async () => {
    await using node = await TestNode.open(runtime);
    const devices = (await readAllDevices()).filter(
      ({ path }) => path === '/dev/vda' || path === '/dev/kmsg',
    );
    const answer = await ask(node, 'cat /proc/self/status; ls /dev; grep " /sys " /proc/mounts', {
      spec: { privileged: true, devices },
    });
    expect(parseEffectiveCapabilities(answer)).toEqual(await effectiveCapabilities());
    expect(answer).toContain('kmsg');
    expect(answer).toMatch(/sysfs \/sys sysfs rw/);
  });

  test('a container joins the namespaces of its pod', async () => {
    await using node = await TestNode.open(runtime);
    const dir = join(node.dir, 'ns');
    mkdirSync(dir);
    pinNamespaces({ dir, types: ['net', 'ipc', 'uts'], hostname: 'web-0' });
    try {
      const namespaces = { net: join(dir, 'net'), ipc: join(dir, 'ipc'), uts: join(dir, 'uts'), pid: 'new' };
      const container = await node.run(['sleep', '1000'], { spec: { namespaces } });
      expect(await askIn(node, container, 'busybox hostname; busybox ip -o addr | head -n 1')).toMatch(
        /^web-0\n1: lo {4}inet 127\.0\.0\.1/,
      );
    } finally {
      unpinNamespaces(dir);
    }
  });

  test('containers can share the PID namespace of an init that adopts orphans', async () => {
    await using node = await TestNode.open(runtime);
    const init = node.prepare([]);
    const spec = buildInitSpec({
      id: init.id,
      initPath: '/usr/bin/catatonit',
      rootfs: join(init.bundle, 'rootfs'),
      namespaces: { net: 'host', ipc: 'host', uts: 'host' },
      cgroupVersion: node.cgroups.version,
      cgroupsPath: node.paths(init.id).cgroupPath,
    });
    writeFileSync(join(init.bundle, 'config.json'), encodeOciJson(spec));
    const created = await node.startPrepared(init);
    const container = await node.run(['sleep', '1000'], {
      spec: {
        namespaces: { net: 'new', ipc: 'new', uts: 'new', pid: `/proc/${created.process.pid}/ns/pid` },
      },
    });
    const adopted = 'busybox ps -o ppid,args | grep -q "1 sleep 3001"';
    const orphan = `(sleep 3001 &); until ${adopted}; do sleep 0.01; done; cat /proc/1/comm`;
    expect(await askIn(node, container, orphan)).toBe('init');
  });
});

test('a limit on the oom score is kept, as low as this machine allows', async () => {
  await using node = await TestNode.open('runc');
  const lowest = await lowestOomScoreAdj(await effectiveCapabilities());
  const oomScoreAdj = clampOomScoreAdj(-997, lowest);
  const container = await node.run(['sleep', '1000'], { spec: { oomScoreAdj } });
  expect(await askIn(node, container, 'cat /proc/1/oom_score_adj /proc/self/oom_score_adj')).toBe(
    `${oomScoreAdj}\n${oomScoreAdj}`,
  );
});

test.for([
  [-997, 0, 0],
  [-997, -999, -997],
  [1000, -999, 1000],
])('clampOomScoreAdj() of %i, where %i is the lowest, is %i', ([wanted, lowest, expected]) => {
  expect(clampOomScoreAdj(wanted!, lowest!)).toBe(expected);
});

test('mounts, read-only root, sysctls, ambient capabilities and no_new_privs hold', async () => {
  await using node = await TestNode.open('runc');
  const source = join(node.dir, 'volume');
  mkdirSync(source);
  writeFileSync(join(source, 'file'), 'content');
  const answer = await ask(
    node,
    'cat /data/file; echo 1 > /data/x; echo 1 > /x; cat /proc/sys/net/ipv4/ip_forward; grep -E "CapAmb|NoNewPrivs" /proc/self/status',
    {
      spec: {
        mounts: [{ source, destination: '/data', readonly: true }],
        readonlyRootfs: true,
        sysctls: { 'net.ipv4.ip_forward': '1' },
        user: { uid: 1000, gid: 1000, additionalGids: [1000] },
        capabilities: { add: [], drop: ['ALL'], ambient: ['NET_BIND_SERVICE'] },
        noNewPrivileges: true,
      },
    },
  );
  expect(answer).toMatch(/^content1\n/);
  expect(answer).toMatch(/CapAmb:\s+0000000000000400/);
  expect(answer).toMatch(/NoNewPrivs:\s+1/);
  expect(answer.match(/Read-only file system/g)).toHaveLength(2);
});
