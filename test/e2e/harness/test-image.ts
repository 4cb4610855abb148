// The image that most tests run: busybox, with accounts, groups and a few things to look at.

import { busyboxImage } from '../../../hack/images/busybox.ts';
import { buildImage, type BuiltImage, type LayerEntry } from './image-builder.ts';

export const TEST_IMAGE = 'davit.local/box:latest';

const PASSWD = `root:x:0:0:root:/root:/bin/sh
alice:x:1000:1000:Alice:/home/alice:/bin/sh
nobody:x:65534:65534::/:
`;
const GROUP = `root:x:0:
alice:x:1000:
audio:x:29:alice
games:x:60:alice,root
nogroup:x:65534:
`;

/** Layers of two kinds: what a container sees of both is one file system. */
export function testImage(): Promise<BuiltImage> {
  return buildImage({
    layers: [
      { entries: busyboxEntries() },
      {
        compression: 'zstd',
        entries: [
          { path: '/etc/passwd', data: PASSWD },
          { path: '/etc/group', data: GROUP },
          { path: '/home', type: 'directory' },
          { path: '/home/alice', type: 'directory', uid: 1000, gid: 1000 },
          { path: '/www/index.html', data: 'hello from a pod\n' },
        ],
      },
    ],
    config: {
      Env: ['PATH=/bin', 'FROM_IMAGE=yes'],
      Cmd: ['sh', '-c', 'echo this is the command of the image'],
      WorkingDir: '/home',
    },
  });
}

export function busyboxEntries(): LayerEntry[] {
  return busyboxImage().entries.map(({ kind, ...entry }) => ({ type: kind, ...entry }));
}
