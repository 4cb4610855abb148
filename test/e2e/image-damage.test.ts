// A layer that is no longer what was unpacked: told, not used, and fetched again alone, as a kubelet and an operator
// see it.

import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from './harness/eventually.ts';
import { buildImage } from './harness/image-builder.ts';
import { TestPod } from './harness/pod.ts';
import { refusalOf } from './harness/refusal.ts';
import { Registry } from './harness/registry.ts';
import { busyboxEntries } from './harness/test-image.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode();
const DAVITCTL = join(import.meta.dirname, '../../bin/davitctl');

let registry: Registry;
let image: string;

beforeAll(async () => {
  registry = await Registry.start(node.place);
  image = `${registry.host}/damage/app:v1`;
  const layers = [{ entries: busyboxEntries() }, { entries: [{ path: '/app/text', data: 'all is well\n' }] }];
  await registry.push('damage/app', 'v1', await buildImage({ layers }));
});
afterAll(async () => {
  await node.client.removeImage({ image: { image } });
  await registry[Symbol.asyncDispose]();
});

const pull = () => node.client.pullImage({ image: { image } });
const isPresent = async () => (await node.client.imageStatus({ image: { image } })).image !== undefined;

/** The directories of the layer with the text: a damaged one stays beside the new one while a container needs it. */
function appLayers(): string[] {
  const layers = join(node.place.root, 'layers');
  return readdirSync(layers)
    .map((name) => join(layers, name))
    .filter((path) => readdirSync(path).includes('app'));
}

function verify(...args: string[]): { status: number; text: string } {
  try {
    const text = execFileSync(DAVITCTL, ['--socket', node.place.socket, 'images', 'verify', ...args]);
    return { status: 0, text: text.toString() };
  } catch (error) {
    const { status, stdout } = error as { status: number; stdout: Buffer };
    return { status, text: stdout.toString() };
  }
}

test('a file that has become empty is found, and no container is made from it until the image is pulled again', async () => {
  await pull();
  expect(verify()).toMatchObject({ status: 0, text: expect.stringContaining(' intact\n') as unknown });
  truncateSync(join(appLayers()[0]!, 'app/text'), 0);
  const { status, text } = verify(image);
  expect({ status, text }).toMatchObject({ status: 1 });
  expect(text).toContain(`of ${image}: damaged\n  /app/text: its size is 0 and not 12\n`);
  expect(await isPresent()).toBe(false);
  const pod = await TestPod.run(node);
  const { code, message } = await refusalOf(pod.create({ image }));
  expect(code).toBe('FAILED_PRECONDITION');
  expect(message).toMatch(/is damaged, "\/app\/text": its size is 0 and not 12; pull the image again/);
  await pull();
  expect(await isPresent()).toBe(true);
  expect(await pod.output(['cat', '/app/text'], { image })).toBe('all is well\n');
});

test('a repair leaves what runs alone, and takes the old layer away when it has ended', async () => {
  await pull();
  const pod = await TestPod.run(node);
  const container = await pod.start({ image });
  truncateSync(join(appLayers()[0]!, 'app/text'), 5);
  expect(verify('--repair')).toMatchObject({
    status: 0,
    text: expect.stringContaining('1 repaired') as unknown,
  });
  expect((await container.exec(['cat', '/app/text'])).stdout).toBe('all i');
  expect(appLayers()).toHaveLength(2);
  await node.kill9();
  await node.start();
  expect(await pod.output(['cat', '/app/text'], { image })).toBe('all is well\n');
  expect(appLayers()).toHaveLength(2);
  await container.stop(0);
  await container.remove();
  await eventually('the damaged layer is gone', () => appLayers().length === 1);
});

test('a layer that was removed by hand is found at the next start, and fetched again', async () => {
  await pull();
  await node.stop();
  rmSync(appLayers()[0]!, { recursive: true });
  await node.start();
  expect(await isPresent()).toBe(false);
  await pull();
  expect(verify(image)).toMatchObject({ status: 0 });
});
