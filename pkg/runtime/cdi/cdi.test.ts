import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { silentLog, testCall } from '../../base/testing/call.ts';
import { buildContainerSpec } from '../spec.ts';
import { specInput } from '../testing/spec-input.ts';
import { devicesAskedFor } from './device-name.ts';
import { planEdits } from './edit-spec.ts';
import { CdiRegistry } from './registry.ts';
import { parseCdiSpec, type ContainerEdits } from './spec-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'davit-test-'));
afterAll(() => {
  rmSync(directory, { recursive: true });
});

let count = 0;

/** Two folders, the later of which wins. */
function folders(): [string, string] {
  const dir = join(directory, String((count += 1)));
  const both = [join(dir, 'etc'), join(dir, 'run')] as [string, string];
  for (const folder of both) mkdirSync(folder, { recursive: true });
  return both;
}

const device = (name: string, env: string): object => ({ name, containerEdits: { env: [env] } });
const gpu = (...devices: object[]): object => ({ cdiVersion: '0.5.0', kind: 'example.com/gpu', devices });
const write = (folder: string, name: string, content: object | string): void => {
  writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
};

describe('devicesAskedFor()', () => {
  test('adds those of annotations, each once', () => {
    const annotations = { 'cdi.k8s.io/b': 'v.com/c=1,v.com/c=2', 'cdi.k8s.io/a': 'v.com/c=0', other: 'x' };
    expect(devicesAskedFor(['v.com/c=2'], annotations)).toEqual(['v.com/c=2', 'v.com/c=0', 'v.com/c=1']);
  });

  test.each(['gpu0', 'v.com=1', '/c=1', 'v.com/c=', '1v.com/c=1', 'v.com/c=a b', 'v.com/c=../x', ''])(
    '"%s" is refused, in the field and in an annotation',
    (name) => {
      expect(() => devicesAskedFor([name], {})).toThrow(`config.CDI_devices[0].name "${name}" is not a CDI`);
      expect(() => devicesAskedFor([], { 'cdi.k8s.io/x': name })).toThrow(
        'config.annotations["cdi.k8s.io/x"]',
      );
    },
  );
});

describe('the registry', () => {
  test('reads JSON and YAML, and gives the common edits once', async () => {
    const [etc, run] = folders();
    write(etc, 'gpu.json', {
      ...gpu(device('0', 'A=0'), device('1', 'A=1')),
      containerEdits: { env: ['ALL=1'] },
    });
    write(
      run,
      'net.yaml',
      'cdiVersion: "0.3.0"\nkind: example.com/net\ndevices:\n- name: eth\n  containerEdits:\n    env:\n    - N=1\n',
    );
    await using registry = await CdiRegistry.open([etc, run], silentLog);
    const edits = await registry.resolve(['example.com/gpu=1', 'example.com/net=eth', 'example.com/gpu=0']);
    expect(edits.map(({ edits: { env } }) => env ?? [])).toEqual([['ALL=1'], ['A=1'], [], ['N=1'], ['A=0']]);
    expect(registry.status()).toEqual({
      devices: ['example.com/gpu=0', 'example.com/gpu=1', 'example.com/net=eth'],
      problems: [],
    });
  });

  test('a device of the later folder wins', async () => {
    const [etc, run] = folders();
    write(etc, 'gpu.json', gpu(device('a', 'A=etc')));
    write(run, 'gpu.json', gpu(device('a', 'A=run')));
    await using registry = await CdiRegistry.open([etc, run], silentLog);
    expect((await registry.resolve(['example.com/gpu=a'])).at(-1)?.edits.env).toEqual(['A=run']);
  });

  test('a device that is in two files of one folder is in neither, and both are told of', async () => {
    const [etc, run] = folders();
    write(etc, 'one.json', gpu(device('a', 'A=1'), device('b', 'B=1')));
    write(etc, 'two.json', gpu(device('a', 'A=2')));
    await using registry = await CdiRegistry.open([etc, run], silentLog);
    expect(registry.status().devices).toEqual(['example.com/gpu=b']);
    expect(registry.status().problems).toEqual([
      { file: join(etc, 'one.json'), problem: expect.stringContaining('two.json') as string },
      { file: join(etc, 'two.json'), problem: expect.stringContaining('one.json') as string },
    ]);
    await expect(registry.resolve(['example.com/gpu=a'])).rejects.toThrow('neither is used');
  });

  test('a file that cannot be read costs no other, and is told where its device is missed', async () => {
    const [etc, run] = folders();
    write(etc, 'bad.json', '{');
    write(etc, 'bad.yaml', 'a: [');
    write(etc, 'strange.json', { ...gpu(device('a', 'A=1')), color: 'red' });
    write(etc, 'good.json', gpu(device('b', 'B=1')));
    await using registry = await CdiRegistry.open([etc, run], silentLog);
    expect(registry.status().problems.map(({ file }) => file)).toEqual(
      ['bad.json', 'bad.yaml', 'strange.json'].map((name) => join(etc, name)),
    );
    await expect(registry.resolve(['example.com/gpu=b'])).resolves.toHaveLength(2);
    await expect(registry.resolve(['example.com/gpu=a'])).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringMatching(
        /^there is no CDI device "example.com\/gpu=a" on this node; .*strange/s,
      ) as string,
    });
  });

  test('a file that was written just before is found', async () => {
    const [etc, run] = folders();
    await using registry = await CdiRegistry.open([etc, run], silentLog);
    write(run, 'late.json', gpu(device('late', 'L=1')));
    await expect(registry.resolve(['example.com/gpu=late'])).resolves.toHaveLength(2);
  });
});

describe('parseCdiSpec()', () => {
  const ok = gpu(device('a', 'A=1'));

  test.each([
    ['an unknown version', { ...ok, cdiVersion: '2.0.0' }, 'none of'],
    ['a kind without a vendor', { ...ok, kind: 'gpu' }, 'kind'],
    ['no device', { ...ok, devices: [] }, 'must not be empty'],
    ['a device twice', gpu(device('a', 'A=1'), device('a', 'A=2')), '"a" stands in it twice'],
    ['a variable without a value', gpu(device('a', 'A')), 'NAME=value'],
    ['gids in 0.5.0', { ...ok, containerEdits: { additionalGids: [5] } }, 'at least "0.7.0"'],
    ['annotations in 0.5.0', { ...ok, annotations: { a: 'b' } }, 'at least "0.6.0"'],
    ['a name with a digit in 0.3.0', { ...gpu(device('0', 'A=1')), cdiVersion: '0.3.0' }, 'at least "0.5.0"'],
    [
      'net devices in 1.0.0',
      { ...ok, cdiVersion: '1.0.0', containerEdits: { netDevices: [{ hostInterfaceName: 'a', name: 'b' }] } },
      'at least "1.1.0"',
    ],
  ])('%s is refused', (_, spec, why) => {
    expect(() => parseCdiSpec(spec, 'it')).toThrow(why);
  });

  test.each(['0.3.0', '0.4.0', '0.5.0', '0.6.0', '0.7.0', '0.8.0', '1.0.0', '1.1.0', 'v0.6.0'])(
    'version %s is known',
    (cdiVersion) => {
      expect(parseCdiSpec({ ...ok, cdiVersion }, 'it').cdiVersion).toBe(cdiVersion);
    },
  );
});

describe('planEdits()', () => {
  const base = buildContainerSpec({
    ...specInput,
    env: [{ name: 'A', value: '0' }],
    user: { uid: 7, gid: 8, additionalGids: [8] },
    mounts: [{ source: '/old', destination: '/a/b' }],
  });
  const edited = async (edits: ContainerEdits) =>
    (await planEdits(testCall, [{ name: 'v/c=1', edits }]))(base);

  test('variables, groups, mounts and hooks', async () => {
    const spec = await edited({
      env: ['A=1', 'B=2=3'],
      additionalGids: [0, 8, 9],
      mounts: [
        { hostPath: '/new', containerPath: '/a/b', options: ['ro', 'bind'] },
        { hostPath: '/top', containerPath: '/a' },
        { hostPath: 'tmpfs', containerPath: '/t', type: 'tmpfs', options: ['size=1m'] },
      ],
      hooks: [{ hookName: 'createContainer', path: '/bin/hook', args: ['hook', 'x'], timeout: 3 }],
    });
    expect(spec.process.env).toEqual(expect.arrayContaining(['A=1', 'B=2=3']));
    expect(spec.process.env).not.toContain('A=0');
    expect(spec.process.user.additionalGids).toEqual([8, 9]);
    const own = spec.mounts.filter(({ destination }) => ['/a', '/a/b', '/t'].includes(destination));
    expect(own).toEqual([
      { source: '/top', destination: '/a', type: 'bind', options: ['rbind'] },
      { source: 'tmpfs', destination: '/t', type: 'tmpfs', options: ['size=1m'] },
      { source: '/new', destination: '/a/b', type: 'bind', options: ['ro', 'bind'] },
    ]);
    expect(spec.hooks).toEqual({
      createContainer: [{ path: '/bin/hook', args: ['hook', 'x'], env: undefined, timeout: 3 }],
    });
    expect(spec.annotations['davit.hooks/createContainer']).toBe('v/c=1');
  });

  test('a device node is as on the node, and belongs to the user of the container', async () => {
    const { linux } = await edited({
      deviceNodes: [{ path: '/dev/x', hostPath: '/dev/null', permissions: 'rw' }],
    });
    expect(linux.devices).toEqual([{ path: '/dev/x', type: 'c', major: 1, minor: 3, uid: 7, gid: 8 }]);
    expect(linux.resources.devices?.at(-1)).toEqual({
      allow: true,
      type: 'c',
      major: 1,
      minor: 3,
      access: 'rw',
    });
  });

  test('a device node may be described whole, and need not be on the node', async () => {
    const { linux } = await edited({
      deviceNodes: [
        {
          path: '/dev/y',
          type: 'b',
          major: 8,
          minor: 1,
          uid: 0,
          gid: 0,
          fileMode: 0o640,
          permissions: 'none',
        },
      ],
    });
    expect(linux.devices).toEqual([
      { path: '/dev/y', type: 'b', major: 8, minor: 1, uid: 0, gid: 0, fileMode: 0o640 },
    ]);
    expect(linux.resources.devices).toEqual(base.linux.resources.devices);
  });

  test.each([
    ['that is missing', { path: '/dev/no-such' }, 'there is no device "/dev/no-such"'],
    ['that is a file', { path: '/dev/f', hostPath: '/etc/hostname' }, '"/etc/hostname" is not a device'],
    ['of another type', { path: '/dev/null', type: 'b' as const }, 'is a device of type "c", not "b"'],
  ])('a device node %s is refused by the name of the device', async (_, node, why) => {
    await expect(edited({ deviceNodes: [node] })).rejects.toThrow(`cannot use CDI device "v/c=1": `);
    await expect(edited({ deviceNodes: [node] })).rejects.toThrow(why);
  });

  test('RDT classes and network devices are handed to the runtime', async () => {
    const { linux } = await edited({
      intelRdt: { closID: 'gold', l3CacheSchema: 'L3:0=f' },
      netDevices: [{ hostInterfaceName: 'enp1', name: 'eth7' }],
    });
    expect(linux.intelRdt).toEqual({ closID: 'gold', l3CacheSchema: 'L3:0=f' });
    expect(linux.netDevices).toEqual({ enp1: { name: 'eth7' } });
  });
});
