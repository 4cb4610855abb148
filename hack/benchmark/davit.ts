// Builds davit and starts it on roots of its own.

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CriClient } from '../../api/cri/client.ts';
import { DavitClient } from '../../api/davit/client.ts';
import { Daemon } from './daemon.ts';
import type { Endpoint } from './target.ts';
import type { Workspace } from './workspace.ts';

interface Wanted {
  readonly archive: string;
  readonly image: string;
  readonly handler: string;
  /** Whether it tells about itself, which costs a little. */
  readonly withMetrics?: boolean;
}

const REPO = join(import.meta.dirname, '../..');

/** @returns where it listens; `stack` ends it */
export async function startDavit(
  stack: AsyncDisposableStack,
  workspace: Workspace,
  { archive, image, handler, withMetrics = false }: Wanted,
): Promise<Endpoint> {
  execFileSync(join(REPO, 'hack/build'), { stdio: ['ignore', 'ignore', 'inherit'] });
  const socket = join(workspace.run, 'davit.sock');
  const config = join(workspace.run, 'davit.toml');
  const metrics = join(workspace.run, 'metrics.sock');
  const address = withMetrics ? `[metrics]\naddress = "${metrics}"\nevent_loop_resolution_ms = 2\n` : '';
  writeFileSync(config, configText(workspace, socket) + address);
  const daemon = new Daemon({ file: join(REPO, 'bin/davit'), args: ['--config', config] }, workspace);
  stack.use(daemon);
  using client = new CriClient(socket);
  await daemon.ready(client);
  using davit = new DavitClient(socket);
  await davit.loadImages({ path: archive }, { timeoutMs: 60_000 });
  return { socket, handler, image, group: workspace.group, ...(withMetrics && { metrics }) };
}

function configText({ root, run, cniDir, group }: Workspace, socket: string): string {
  return `
root = "${root}/davit"
run = "${run}/davit"
socket = "${socket}"
[cgroup]
driver = "cgroupfs"
parent = "${group.podParent}"
[cni]
conf_dir = "${cniDir}"
`;
}
