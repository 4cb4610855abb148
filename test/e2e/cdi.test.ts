// CDI: devices that a vendor describes in a file, and what a container that asks for one gets.

import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from './harness/eventually.ts';
import { TestPod } from './harness/pod.ts';
import { refusalOf } from './harness/refusal.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode({
  config: ({ dir }) => {
    mkdirSync(join(dir, 'cdi'));
    return `[cdi]\nspec_dirs = ["${dir}/cdi-missing", "${dir}/cdi"]\n`;
  },
});

const KIND = 'example.com/null';

function writeSpec(name: string, devices: readonly object[], containerEdits: object = {}): void {
  const spec = { cdiVersion: '0.7.0', kind: KIND, devices, containerEdits };
  writeFileSync(join(node.place.dir, 'cdi', name), JSON.stringify(spec));
}

async function shownProblems(): Promise<string[]> {
  const { info } = await node.client.status({ verbose: true });
  const { problems } = JSON.parse(info['cdi'] ?? '') as { problems: { file: string; problem: string }[] };
  return problems.map(({ problem }) => problem);
}

test('a container gets all that its device brings: node, variables, mounts, groups, hooks', async () => {
  const data = join(node.place.dir, 'cdi-data');
  mkdirSync(data);
  writeFileSync(join(data, 'file'), 'of the vendor\n');
  const hook = join(node.place.dir, 'cdi-hook');
  writeFileSync(hook, `#!/bin/sh\ncat > ${hook}.state\n`);
  chmodSync(hook, 0o755);
  const device = {
    name: 'one',
    containerEdits: {
      env: ['OF_DEVICE=1'],
      deviceNodes: [{ path: '/dev/one', hostPath: '/dev/zero', permissions: 'r', fileMode: 0o444 }],
      additionalGids: [4242],
    },
  };
  writeSpec('null.json', [device], {
    env: ['OF_VENDOR=1'],
    mounts: [{ hostPath: data, containerPath: '/vendor', options: ['ro', 'rbind'] }],
    hooks: [{ hookName: 'createRuntime', path: hook }],
  });
  const pod = await TestPod.run(node);
  const script =
    'env | grep ^OF_ | sort; cat /vendor/file; stat -c "%F %a" /dev/one; head -c 1 /dev/one | od -An -t x1; id -G';
  const text = await pod.output(['sh', '-c', script], { config: { cdiDevices: [{ name: `${KIND}=one` }] } });
  expect(text).toBe('OF_DEVICE=1\nOF_VENDOR=1\nof the vendor\ncharacter special file 444\n 00\n0 60 4242\n');
  expect(JSON.parse(readFileSync(`${hook}.state`, 'utf8'))).toMatchObject({
    ociVersion: expect.any(String) as string,
  });
});

test('annotations of old ask for devices too', async () => {
  writeSpec('null.json', [{ name: 'one', containerEdits: { env: ['BY=annotation'] } }]);
  const pod = await TestPod.run(node);
  const config = { annotations: { 'cdi.k8s.io/plugin_0': `${KIND}=one` } };
  expect(await pod.output(['sh', '-c', 'echo $BY'], { config })).toBe('annotation\n');
});

test('a device that is not there is refused by name, and nothing is left', async () => {
  const pod = await TestPod.run(node);
  expect(await refusalOf(pod.create({ config: { cdiDevices: [{ name: `${KIND}=none` }] } }))).toEqual({
    code: 'INVALID_ARGUMENT',
    message: `there is no CDI device "${KIND}=none" on this node`,
  });
  expect(await refusalOf(pod.create({ config: { cdiDevices: [{ name: 'none' }] } }))).toEqual({
    code: 'INVALID_ARGUMENT',
    message: 'config.CDI_devices[0].name "none" is not a CDI device like "vendor.com/class=name"',
  });
});

test('a hook of a device that fails is told by the name of the device', async () => {
  const hook = { hookName: 'createRuntime', path: '/bin/false' };
  writeSpec('null.json', [{ name: 'bad', containerEdits: { hooks: [hook] } }]);
  const pod = await TestPod.run(node);
  const { message } = await refusalOf(pod.create({ config: { cdiDevices: [{ name: `${KIND}=bad` }] } }));
  expect(message).toMatch(`hook "${KIND}=bad" failed: cannot create container`);
});

test('a file that cannot be read is shown in Status, and costs no other', async () => {
  const bad = join(node.place.dir, 'cdi/bad.yaml');
  writeFileSync(bad, 'cdiVersion: "9.9.9"\nkind: example.com/x\ndevices:\n- name: a\n  containerEdits: {}\n');
  await eventually('it is shown', async () => (await shownProblems()).length === 1);
  expect(await shownProblems()).toEqual([expect.stringContaining('cdiVersion "9.9.9" is none of')]);
  writeSpec('null.json', [{ name: 'one', containerEdits: { env: ['GOOD=1'] } }]);
  const pod = await TestPod.run(node);
  const config = { cdiDevices: [{ name: `${KIND}=one` }] };
  expect(await pod.output(['sh', '-c', 'echo $GOOD'], { config })).toBe('1\n');
  expect(existsSync(bad)).toBe(true);
});

test('a device that moves a network interface is refused where the runtime cannot', async () => {
  const netDevices = [{ hostInterfaceName: 'lo', name: 'lo1' }];
  const spec = {
    cdiVersion: '1.1.0',
    kind: 'example.com/net',
    devices: [{ name: 'a', containerEdits: { netDevices } }],
  };
  writeFileSync(join(node.place.dir, 'cdi/net.json'), JSON.stringify(spec));
  const pod = await TestPod.run(node);
  expect(await refusalOf(pod.create({ config: { cdiDevices: [{ name: 'example.com/net=a' }] } }))).toEqual({
    code: 'UNIMPLEMENTED',
    message: 'cannot use CDI device "example.com/net=a": runtime handler "runc" cannot move network devices',
  });
});
