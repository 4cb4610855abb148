// A small image made from what Debian's busybox-static and catatonit install: no registry is needed for it.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Entry, ImageContent } from './archive.ts';

export const BUSYBOX_IMAGE = 'davit.local/busybox:latest';
export const PAUSE_IMAGE = 'davit.local/pause:latest';

const PATH_VARIABLE = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** busybox under all its names, the accounts every image has, and a place for web pages. */
export function busyboxImage(program = '/bin/busybox'): ImageContent {
  const applets = execFileSync(program, ['--list'], { encoding: 'utf8' }).split('\n').filter(Boolean);
  const links = applets
    .filter((applet) => applet !== 'busybox')
    .map((applet): Entry => ({ kind: 'symlink', path: `/bin/${applet}`, target: 'busybox' }));
  return {
    reference: BUSYBOX_IMAGE,
    entries: [
      ...['/bin', '/etc', '/root', '/var', '/www'].map((path): Entry => ({ kind: 'directory', path })),
      { kind: 'directory', path: '/tmp', mode: 0o1777 },
      { kind: 'file', path: '/bin/busybox', data: readFileSync(program), mode: 0o755 },
      ...links,
      {
        kind: 'file',
        path: '/etc/passwd',
        data: 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:\n',
      },
      { kind: 'file', path: '/etc/group', data: 'root:x:0:\nnogroup:x:65534:\n' },
    ],
    config: { Cmd: ['sh'], Env: [PATH_VARIABLE] },
  };
}

/** What keeps a pod's namespaces for runtimes that need a process for it. */
export function pauseImage(program = '/usr/bin/catatonit'): ImageContent {
  return {
    reference: PAUSE_IMAGE,
    entries: [{ kind: 'file', path: '/pause', data: readFileSync(program), mode: 0o755 }],
    config: { Entrypoint: ['/pause', '-P'], Env: [PATH_VARIABLE] },
  };
}
