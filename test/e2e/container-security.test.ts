// What a container may do, and what it may not.

import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { TestPod } from './harness/pod.ts';
import { refusalOf } from './harness/refusal.ts';
import { SecurityProfileProfileType } from '../../api/cri/generated/types.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode();

const NET_ADMIN = 1n << 12n;
const CHOWN = 1n << 0n;

const STATUS = ['cat', '/proc/self/status'];

/** A set of capabilities out of /proc/self/status. */
function capabilities(status: string, set: 'CapEff' | 'CapBnd' | 'CapAmb'): bigint {
  return BigInt(`0x${new RegExp(`^${set}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1] ?? ''}`);
}

test('an ordinary container has the usual few capabilities', async () => {
  const pod = await TestPod.run(node);
  const status = await pod.output(STATUS);
  expect(capabilities(status, 'CapEff').toString(16)).toBe('a80425fb');
  expect(capabilities(status, 'CapBnd').toString(16)).toBe('a80425fb');
  expect(capabilities(status, 'CapAmb')).toBe(0n);
});

test('capabilities are added and dropped by name', async () => {
  const pod = await TestPod.run(node);
  const security = { capabilities: { addCapabilities: ['NET_ADMIN'], dropCapabilities: ['CHOWN'] } };
  const effective = capabilities(await pod.output(STATUS, { security }), 'CapEff');
  expect(effective & NET_ADMIN).toBe(NET_ADMIN);
  expect(effective & CHOWN).toBe(0n);
});

test('dropping ALL leaves nothing but what is added', async () => {
  const pod = await TestPod.run(node);
  const security = { capabilities: { addCapabilities: ['NET_ADMIN'], dropCapabilities: ['ALL'] } };
  expect(capabilities(await pod.output(STATUS, { security }), 'CapBnd')).toBe(NET_ADMIN);
});

test('an ambient capability reaches a user who is not root', async () => {
  const pod = await TestPod.run(node);
  const security = {
    runAsUser: { value: 1000n },
    capabilities: { addAmbientCapabilities: ['NET_ADMIN'], addCapabilities: ['NET_ADMIN'] },
  };
  expect(capabilities(await pod.output(STATUS, { security }), 'CapEff')).toBe(NET_ADMIN);
});

test('a capability that does not exist is refused by name', async () => {
  const pod = await TestPod.run(node);
  const security = { capabilities: { addCapabilities: ['FLY'] } };
  const { code, message } = await refusalOf(pod.create({ security }));
  expect(code).toBe('INVALID_ARGUMENT');
  expect(message).toContain('FLY');
});

test('no_new_privs is set where it was asked for, and only there', async () => {
  const pod = await TestPod.run(node);
  expect(await pod.output(STATUS, { security: { noNewPrivs: true } })).toMatch(/^NoNewPrivs:\t1$/m);
  expect(await pod.output(STATUS)).toMatch(/^NoNewPrivs:\t0$/m);
});

test('what the kernel tells of the node is masked, and sysctls are read-only', async () => {
  const pod = await TestPod.run(node);
  const script = 'wc -c < /proc/keys; ls /proc/scsi | wc -l; echo 1 > /proc/sys/kernel/printk';
  const container = await pod.start({ command: ['sh', '-c', script] });
  await container.waitForExit();
  expect(container.logText('stdout')).toBe('0\n0\n');
  expect(container.logText('stderr')).toContain('/proc/sys/kernel/printk: Read-only file system');
});

test('paths that the pod names are masked and made read-only instead', async () => {
  const pod = await TestPod.run(node);
  const security = { maskedPaths: ['/etc/passwd'], readonlyPaths: ['/www'] };
  const script = 'wc -c < /etc/passwd; touch /www/x 2>&1 || true';
  expect(await pod.output(['sh', '-c', script], { security })).toBe(
    '0\ntouch: /www/x: Read-only file system\n',
  );
});

test('an ordinary container has the harmless devices and no others', async () => {
  const pod = await TestPod.run(node);
  const devices = (await pod.output(['sh', '-c', 'cd /dev; ls'])).trim().split('\n');
  expect(devices).toEqual([
    ...['fd', 'full', 'mqueue', 'null', 'ptmx', 'pts', 'random', 'shm'],
    ...['stderr', 'stdin', 'stdout', 'tty', 'urandom', 'zero'],
  ]);
  const opened = await pod.output(['sh', '-c', 'mknod /tmp/kmsg c 1 11; cat /tmp/kmsg 2>&1 || true']);
  expect(opened).toContain('Operation not permitted');
});

test('a device of the node is there under the name that was asked for', async () => {
  const pod = await TestPod.run(node);
  const devices = [{ hostPath: '/dev/null', containerPath: '/dev/nothing', permissions: 'rw' }];
  const script = 'echo gone > /dev/nothing && cat /dev/nothing && ls -l /dev/nothing';
  expect(
    await pod.output(['sh', '-c', script], { config: { command: ['sh', '-c', script], devices } }),
  ).toMatch(/^crw.* 1, +3 .*\/dev\/nothing\n$/);
});

test('a device may be used as far as was asked for, and no further', async () => {
  const pod = await TestPod.run(node);
  const devices = [{ hostPath: '/dev/kmsg', containerPath: '/dev/kmsg', permissions: 'r' }];
  const script = 'dd if=/dev/kmsg of=/dev/null bs=8k count=1 2>&1; echo davit > /dev/kmsg';
  const security = { capabilities: { addCapabilities: ['SYSLOG'] } };
  const container = await pod.start({ security, config: { command: ['sh', '-c', script], devices } });
  await container.waitForExit();
  expect(container.logText('stdout')).toContain('0+1 records out');
  expect(container.logText('stderr')).toContain("can't create /dev/kmsg: Operation not permitted");
});

test('a device that the node does not have is refused by its path', async () => {
  const pod = await TestPod.run(node);
  const devices = [{ hostPath: '/dev/no-such', containerPath: '/dev/x', permissions: 'r' }];
  const { code, message } = await refusalOf(pod.create({ config: { devices } }));
  expect(code).toBe('INVALID_ARGUMENT');
  expect(message).toContain('"/dev/no-such"');
});

test('a privileged container has all that the daemon has', async () => {
  const pod = await TestPod.run(node, { privileged: true });
  const script = 'cat /proc/self/status; ls /dev; cat /proc/mounts';
  const text = await pod.output(['sh', '-c', script], { security: { privileged: true } });
  const ours = readFileSync('/proc/self/status', 'utf8');
  expect(capabilities(text, 'CapEff')).toBe(capabilities(ours, 'CapEff'));
  expect(text).toMatch(/^sysfs \/sys sysfs rw/m);
  expect(text).toMatch(/ \/sys\/fs\/cgroup\S* cgroup2? rw/m);
  expect(text).not.toMatch(/ \/sys\/fs\/cgroup\S* cgroup2? ro/m);
  expect(text).not.toMatch(/ \/proc\/\S+ /m); // nothing masked, nothing read-only
  expect(text.includes('loop-control\n')).toBe(existsSync('/dev/loop-control'));
});

test('a privileged container opens devices that others do not', async () => {
  const pod = await TestPod.run(node, { privileged: true });
  const command = ['sh', '-c', 'mknod /tmp/kmsg c 1 11; head -c 1 /tmp/kmsg; echo $?'];
  const security = { privileged: true, capabilities: { dropCapabilities: ['ALL'] } };
  expect(await pod.output(command, { security })).toMatch(/0\n$/);
});

test('a privileged container is refused in a pod that is not', async () => {
  const pod = await TestPod.run(node);
  expect(await refusalOf(pod.create({ security: { privileged: true } }))).toEqual({
    code: 'INVALID_ARGUMENT',
    message: `config.linux.security_context.privileged is set, but pod sandbox "${pod.id}" is not privileged`,
  });
});

test('a security profile that the node does not have is refused by its path', async () => {
  const pod = await TestPod.run(node);
  const seccomp = { profileType: SecurityProfileProfileType.Localhost, localhostRef: '/x/profile.json' };
  const { code, message } = await refusalOf(pod.create({ security: { seccomp } }));
  expect(code).toBe('FAILED_PRECONDITION');
  expect(message).toContain('"/x/profile.json"');
});
