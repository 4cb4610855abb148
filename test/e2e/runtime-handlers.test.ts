// What an operator can say of a runtime handler, and what of it a pod sees.

import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeConflist } from './harness/config.ts';
import type { TestContainer } from './harness/container.ts';
import { podConfig, TestPod } from './harness/pod.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode({
  config: ({ dir, bridge }) => {
    writeSpecialNetwork(join(dir, 'special-cni'), bridge);
    return specialHandler(dir);
  },
});

const SPECIAL_ADDRESS = '192.0.2.7';

function writeSpecialNetwork(cniDir: string, bridge: string): void {
  mkdirSync(cniDir);
  const ipam = { type: 'static', addresses: [{ address: `${SPECIAL_ADDRESS}/24` }] };
  const conflist = { cniVersion: '1.0.0', name: 'special', plugins: [{ type: 'bridge', bridge, ipam }] };
  writeConflist({ cniDir }, '10-special.conflist', JSON.stringify(conflist));
}

const specialHandler = (dir: string): string => `
[runtime.handlers.special]
path = "/usr/sbin/runc"
root = "${dir}/special-state"
options = ["--log", "${dir}/special.log", "--debug"]
allowed_annotations = ["example.com/*"]
default_annotations = { "example.com/speed" = "slow", "example.com/color" = "grey" }
cni_conf_dir = "${dir}/special-cni"
privileged_without_host_devices = true
`;

/** As the runtime reads them. */
function annotationsOf({ id }: TestContainer): Record<string, string> {
  const path = join(node.place.run, 'containers', id, 'config.json');
  return (JSON.parse(readFileSync(path, 'utf8')) as { annotations: Record<string, string> }).annotations;
}

test('the program is called with the root and the options of its handler', async () => {
  const pod = await TestPod.run(node, { handler: 'special' });
  const container = await pod.start({ command: ['sleep', '1000'] });
  expect(existsSync(join(node.place.dir, 'special-state', container.id))).toBe(true);
  expect(readFileSync(join(node.place.dir, 'special.log'), 'utf8')).toContain('level=debug');
  expect((await container.exec(['echo', 'hello'])).stdout).toBe('hello\n');
  await pod.remove();
  expect(existsSync(join(node.place.dir, 'special-state', container.id))).toBe(false);
});

test('it is told of the annotations that its handler allows, and of no others', async () => {
  const annotations = { 'example.com/color': 'of the pod', 'run.oci.keep_original_groups': '1' };
  const pod = await TestPod.run(node, {
    handler: 'special',
    config: { ...podConfig(node), annotations },
  });
  const container = await pod.create({
    config: { annotations: { 'example.com/size': 'of the container', 'other.example.com/x': '1' } },
  });
  const found = annotationsOf(container);
  expect(found).toMatchObject({
    'example.com/speed': 'slow',
    'example.com/color': 'of the pod',
    'example.com/size': 'of the container',
    'io.kubernetes.cri.sandbox-id': pod.id,
  });
  expect(Object.keys(found)).not.toContain('run.oci.keep_original_groups');
  expect(Object.keys(found)).not.toContain('other.example.com/x');
  const other = await TestPod.run(node, { config: { ...podConfig(node), annotations } });
  expect(Object.keys(annotationsOf(await other.create()))).not.toContain('example.com/color');
});

test('its pods join the network of its handler, those of others the common one', async () => {
  const special = await TestPod.run(node, { handler: 'special' });
  const common = await TestPod.run(node);
  expect(await special.ip()).toBe(SPECIAL_ADDRESS);
  expect(await common.ip()).toMatch(node.place.network);
});

test('a privileged container gets no devices of the node where its handler says so', async () => {
  const privileged = { security: { privileged: true } };
  const kmsg = ['sh', '-c', 'test -e /dev/kmsg && echo there || echo missing'];
  const special = await TestPod.run(node, { handler: 'special', privileged: true });
  expect(await special.output(kmsg, privileged)).toBe('missing\n');
  const common = await TestPod.run(node, { privileged: true });
  expect(await common.output(kmsg, privileged)).toBe('there\n');
});

test('Status lists it', async () => {
  const { runtimeHandlers } = await node.client.status();
  expect(runtimeHandlers.map(({ name }) => name)).toEqual(['', 'runc', 'crun', 'special']);
});
