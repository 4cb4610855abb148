import { describe, expect, test } from 'vitest';
import { allCapabilities } from './capabilities.ts';
import { buildInitSpec } from './init-spec.ts';
import { defaultProfile } from './seccomp/default-profile.ts';
import { buildContainerSpec } from './spec.ts';
import { specInput } from './testing/spec-input.ts';

describe('buildContainerSpec()', () => {
  test('describes a plain container', () => {
    const { process, root, hostname, ociVersion, linux } = buildContainerSpec(specInput);
    expect({ ociVersion, root, hostname }).toEqual({
      ociVersion: '1.0.2',
      root: { path: '/run/davit/containers/4f1c/rootfs', readonly: false },
      hostname: 'web-0',
    });
    expect(process).toMatchObject({
      terminal: false,
      user: { uid: 0, gid: 0, additionalGids: [0] },
      args: ['sleep', '1000'],
      env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOSTNAME=web-0'],
      cwd: '/',
      noNewPrivileges: false,
    });
    expect(process).not.toHaveProperty('oomScoreAdj');
    expect(linux).toMatchObject({ cgroupsPath: '/davit/4f1c', devices: [], sysctl: {} });
    expect(linux.maskedPaths).toContain('/proc/kcore');
    expect(linux.readonlyPaths).toContain('/proc/sys');
    expect(linux.resources.devices?.[0]).toEqual({ allow: false, access: 'rwm' });
  });

  test('a privileged container has all capabilities and devices there are, and nothing masked', () => {
    const availableCapabilities = new Set(['CAP_SYS_ADMIN', 'CAP_CHOWN']);
    const spec = buildContainerSpec({
      ...specInput,
      privileged: true,
      allDevicesAllowed: true,
      availableCapabilities,
    });
    expect(spec.process.capabilities).toEqual(allCapabilities(availableCapabilities));
    expect(spec.linux).toMatchObject({ maskedPaths: [], readonlyPaths: [] });
    expect(spec.linux.resources.devices).toEqual([{ allow: true, access: 'rwm' }]);
  });

  test('a later variable replaces an earlier one, and bytes are read as UTF-8', () => {
    const env = [
      { name: 'PATH', value: '/bin' },
      { name: 'A', value: 'image' },
      { name: 'A', value: Buffer.from('päd') },
      { name: 'B', value: Buffer.from([0x61, 0xff]) },
      { name: 'C', value: '' },
    ];
    const { process } = buildContainerSpec({ ...specInput, env, hostname: '', tty: true });
    expect(process.env).toEqual(['PATH=/bin', 'TERM=xterm', 'A=päd', 'B=a\ufffd', 'C=']);
  });

  test.for([
    [{ env: [{ name: 'A=B', value: '' }] }, '"A=B" cannot be the name'],
    [{ env: [{ name: '', value: 'x' }] }, '"" cannot be the name'],
    [{ env: [{ name: 'SECRET', value: 'hid\0den' }] }, 'an environment variable contains a zero byte'],
    [{ args: [] }, 'has no command'],
    [{ args: [''] }, 'has no command'],
    [{ args: ['a\0b'] }, 'contains a zero byte'],
    [{ cwd: '/a\0b' }, 'contains a zero byte'],
    [{ capabilities: { add: ['NOSUCH'], drop: [], ambient: [] } }, 'unknown capability "NOSUCH"'],
  ] as const)('refuses %j', ([change, message]) => {
    expect(() => buildContainerSpec({ ...specInput, ...change })).toThrow(
      expect.objectContaining({
        code: 'invalid_argument',
        message: expect.stringContaining(message) as string,
      }),
    );
  });

  test('joins namespaces by their path, makes new ones, and leaves out those of the host', () => {
    const namespaces = { net: '/run/ns/net', ipc: 'host', uts: '/run/ns/uts', pid: 'new' };
    const { linux, hostname } = buildContainerSpec({ ...specInput, namespaces });
    expect(linux.namespaces).toEqual([
      { type: 'mount' },
      { type: 'network', path: '/run/ns/net' },
      { type: 'uts', path: '/run/ns/uts' },
      { type: 'pid' },
    ]);
    expect(hostname).toBeUndefined(); // whoever made the namespace has given it a name
  });

  test.for([
    [{ cgroupVersion: 2 }, true],
    [{ cgroupVersion: 1 }, false],
    [{ cgroupVersion: 2, privileged: true }, false],
  ] as const)('of %j: has a cgroup namespace of its own: %s', ([change, expected]) => {
    const { namespaces } = buildContainerSpec({ ...specInput, ...change }).linux;
    expect(namespaces.some(({ type }) => type === 'cgroup')).toBe(expected);
  });

  test('devices are there and may be used as asked', () => {
    const device = {
      path: '/dev/fuse',
      type: 'c',
      major: 10,
      minor: 229,
      fileMode: 0o666,
      uid: 0,
      gid: 0,
    } as const;
    const { linux } = buildContainerSpec({ ...specInput, devices: [{ ...device, permissions: 'rw' }] });
    expect(linux.devices).toEqual([device]);
    expect(linux.resources.devices).toContainEqual({
      allow: true,
      type: 'c',
      major: 10,
      minor: 229,
      access: 'rw',
    });
  });

  test('passes on the rest as it is', () => {
    const input = {
      ...specInput,
      oomScoreAdj: 993,
      sysctls: { 'kernel.shmmax': '1' },
      annotations: { a: 'b' },
    };
    const seccomp = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [] } as const;
    const spec = buildContainerSpec({ ...input, seccomp });
    expect(spec.process.oomScoreAdj).toBe(993);
    expect(spec.annotations).toEqual({ a: 'b', 'run.oci.systemd.subgroup': '' });
    expect(spec.linux).toMatchObject({ sysctl: { 'kernel.shmmax': '1' }, seccomp });
  });
});

test('buildInitSpec() describes a process that can do nothing but wait', () => {
  const spec = buildInitSpec({
    id: '5a',
    initPath: '/usr/bin/catatonit',
    rootfs: '/run/davit/sandboxes/5a/init/rootfs',
    namespaces: { net: '/run/ns/net', ipc: '/run/ns/ipc', uts: '/run/ns/uts' },
    cgroupVersion: 1,
    cgroupsPath: '/davit/5a/init',
  });
  expect(spec.process).toMatchObject({
    args: ['/init', '-P'],
    user: { uid: 65535, gid: 65535 },
    noNewPrivileges: true,
    capabilities: { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] },
  });
  expect(spec.root.readonly).toBe(true);
  expect(spec.linux.namespaces).toContainEqual({ type: 'pid' });
  expect(spec.linux.seccomp).toEqual(defaultProfile([]));
});

test('SELinux labels are those of the process and of what is mounted, and absent where there are none', () => {
  const mount = 'system_u:object_r:container_file_t:s0:c1,c2';
  const selinux = { process: 'system_u:system_r:container_t:s0:c1,c2', mount };
  const labelled = buildContainerSpec({ ...specInput, selinux });
  expect([labelled.process.selinuxLabel, labelled.linux.mountLabel]).toEqual([selinux.process, mount]);
  const unconfined = buildContainerSpec({ ...specInput, selinux: { mount } });
  expect(unconfined.process).not.toHaveProperty('selinuxLabel');
  expect(unconfined.linux.mountLabel).toBe(mount);
  expect(JSON.stringify(buildContainerSpec(specInput))).not.toMatch(/selinuxLabel|mountLabel/);
});
