// Archives of images that lie in a folder of the daemon, for nodes that reach no registry.

import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from './harness/eventually.ts';
import { writeOciArchive } from './harness/image-archive.ts';
import { buildImage } from './harness/image-builder.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode();
const NAME = 'davit.local/preloaded:1';

test('an archive that is moved into images.d is imported, and after a restart it is not imported again', async () => {
  const outside = join(node.place.dir, 'preloaded.tar');
  const inside = join(node.place.root, 'images.d', 'preloaded.tar');
  const image = await buildImage({ layers: [{ entries: [{ path: '/a', data: 'a' }] }] });
  await writeOciArchive(outside, NAME, image);
  renameSync(outside, inside);
  const find = async () => (await node.client.imageStatus({ image: { image: NAME } })).image;
  const id = await eventually('the image is here', async () => (await find())?.id ?? false);
  const { info } = await node.client.status({ verbose: true });
  expect(JSON.parse(info['preloaded'] ?? '')).toEqual({
    imported: [{ file: 'preloaded.tar', imageIds: [id] }],
    failed: [],
  });
  await node.client.removeImage({ image: { image: NAME } });
  await node.restart();
  expect(await find()).toBeUndefined();
  rmSync(inside);
});
