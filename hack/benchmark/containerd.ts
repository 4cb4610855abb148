// Starts Debian's containerd on roots of its own, with the same CNI plugins and OCI runtimes.

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CriClient } from '../../api/cri/client.ts';
import { writeImageArchive } from '../images/archive.ts';
import { PAUSE_IMAGE, pauseImage } from '../images/busybox.ts';
import { Daemon } from './daemon.ts';
import type { Endpoint } from './target.ts';
import type { Workspace } from './workspace.ts';

/** @returns where it listens; `stack` ends it */
export async function startContainerd(
  stack: AsyncDisposableStack,
  workspace: Workspace,
  { archive, image, handler }: { readonly archive: string; readonly image: string; readonly handler: string },
): Promise<Endpoint> {
  const socket = join(workspace.run, 'containerd.sock');
  const config = join(workspace.run, 'containerd.toml');
  writeFileSync(config, configText(workspace, socket));
  const daemon = new Daemon({ file: '/usr/bin/containerd', args: ['--config', config] }, workspace);
  stack.use(daemon);
  using client = new CriClient(socket);
  await daemon.ready(client);
  const pause = join(workspace.run, 'pause.tar');
  await writeImageArchive(pause, pauseImage());
  for (const file of [archive, pause]) {
    execFileSync('/usr/bin/ctr', ['--address', socket, '--namespace', 'k8s.io', 'images', 'import', file], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  return { socket, handler, image, group: workspace.group };
}

/** What is disabled is not used by the CRI, and would write outside the roots or wait for hardware. */
function configText({ root, run, cniDir }: Workspace, socket: string): string {
  const runtime = (name: string, program: string): string => `
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.${name}]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.${name}.options]
      BinaryName = "${program}"
      Root = "${run}/runtime"
`;
  return `
version = 2
root = "${root}/containerd"
state = "${run}/containerd"
disabled_plugins = [
  "io.containerd.internal.v1.opt", "io.containerd.internal.v1.tracing", "io.containerd.tracing.processor.v1.otlp",
  "io.containerd.nri.v1.nri", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"
]
[grpc]
  address = "${socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE_IMAGE}"
  netns_mounts_under_state_dir = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${cniDir}"
${runtime('runc', '/usr/sbin/runc')}${runtime('crun', '/usr/bin/crun')}`;
}
