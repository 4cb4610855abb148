// Opens the streaming server, and what the daemon knows of it.

import { background, type Log } from '../../pkg/base/call.ts';
import type { Config } from '../../pkg/config/config.ts';
import type { PodStreams } from '../../pkg/pod/streaming.ts';
import { StreamServer } from '../../pkg/stream/server.ts';

/** What an earlier daemon was streaming is over when this returns. */
export async function openStreaming(
  { streaming }: Pick<Config, 'streaming'>,
  { backend, log }: { readonly backend: PodStreams; readonly log: Log },
): Promise<StreamServer> {
  await backend.endOrphans(background(log));
  const idleTimeoutMs = streaming.idle_timeout_seconds * 1000;
  const creationTimeoutMs = streaming.creation_timeout_seconds * 1000;
  const { address, port } = streaming;
  return await StreamServer.listen({ backend, log, address, port, idleTimeoutMs, creationTimeoutMs });
}
