// A runtime under test: how it is reached, and what is known about its processes.

import { CriClient } from '../../api/cri/client.ts';
import type { CpuGroup } from './cpu-group.ts';
import { ownerOfSocket } from './socket-owner.ts';

export interface Target {
  /** `davit`, `containerd 1.6.20` */
  readonly name: string;
  readonly client: CriClient;
  readonly handler: string;
  readonly image: string;
  /** The daemon; absent when it cannot be found from the socket. */
  readonly daemonPid: number | undefined;
  /** All CPU time of daemon, monitors, runtimes and containers; only known for a daemon that was started here. */
  readonly group: CpuGroup | undefined;
  /** Where its metrics are served; only davit's, and if it was told to. */
  readonly metrics: string | undefined;
}

export interface Endpoint {
  readonly socket: string;
  readonly handler: string;
  readonly image: string;
  readonly group?: CpuGroup;
  /** The path of a socket. */
  readonly metrics?: string;
}

/** Connects, and makes sure that the image is there. */
export async function connect(endpoint: Endpoint): Promise<Target> {
  const client = new CriClient(endpoint.socket);
  await client.waitForReady(30_000);
  const version = await client.version({ version: 'v1' }, { timeoutMs: 10_000 });
  await ensureImage(client, endpoint.image);
  return {
    name: `${version.runtimeName} ${version.runtimeVersion.replace(/~.*/, '')}`,
    client,
    handler: endpoint.handler,
    image: endpoint.image,
    daemonPid: await ownerOfSocket(endpoint.socket),
    group: endpoint.group,
    metrics: endpoint.metrics,
  };
}

async function ensureImage(client: CriClient, name: string): Promise<void> {
  const image = { image: name };
  const { image: present } = await client.imageStatus({ image }, { timeoutMs: 10_000 });
  if (present === undefined) await client.pullImage({ image }, { timeoutMs: 300_000 });
}
