// Opens the streaming server, and what the daemon knows of it.

import { background, type Log } from '../../pkg/base/call.ts';
import type { Config } from '../../pkg/config/config.ts';
import type { PodStreams } from '../../pkg/pod/streaming.ts';
import { StreamServer } from '../../pkg/stream/server.ts';
import type { TlsPaths } from '../../pkg/stream/tls-files.ts';

/** What an earlier daemon was streaming is over when this returns. */
export async function openStreaming(
  { streaming }: Pick<Config, 'streaming'>,
  { backend, log }: { readonly backend: PodStreams; readonly log: Log },
): Promise<StreamServer> {
  await backend.endOrphans(background(log));
  const idleTimeoutMs = streaming.idle_timeout_seconds * 1000;
  const creationTimeoutMs = streaming.creation_timeout_seconds * 1000;
  const { address, port } = streaming;
  const tls = toTls(streaming);
  return await StreamServer.listen({ backend, log, address, port, tls, idleTimeoutMs, creationTimeoutMs });
}

function toTls({
  tls_cert,
  tls_key,
  tls_client_ca,
  tls_min_version,
}: Config['streaming']): TlsPaths | undefined {
  if (tls_cert === '') return undefined;
  const clientCa = tls_client_ca === '' ? undefined : tls_client_ca;
  return { cert: tls_cert, key: tls_key, clientCa, minVersion: `TLSv${tls_min_version}` };
}
