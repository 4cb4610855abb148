// Clients of exec and port-forward that do as little as they can, so that it is the server that is measured.

import { once } from 'node:events';
import { connectSpdy, type SpdyClient } from '../../pkg/stream/testing/spdy-client.ts';
import type { Target } from './target.ts';

const CALL = { timeoutMs: 60_000 };

/** Runs a command, and reads all that comes without looking at it. @returns how many bytes that were */
export async function drainExec(
  { client }: Target,
  containerId: string,
  cmd: readonly string[],
): Promise<number> {
  const { url } = await client.exec({ containerId, cmd, stdout: true, stderr: true }, CALL);
  using spdy = await connectSpdy(url);
  const bytes = countBytes(spdy);
  for (const streamtype of ['error', 'stdout', 'stderr']) spdy.open({ streamtype });
  await once(spdy.transport, 'close');
  return bytes();
}

/** From now on nothing is taken apart. */
function countBytes({ transport }: SpdyClient): () => number {
  let bytes = 0;
  transport.removeAllListeners('data');
  transport.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  return () => bytes;
}

/** Forwards one connection to a port and reads until `wanted` bytes have come. */
export async function drainPort(
  { client }: Target,
  podSandboxId: string,
  { port, wanted }: { readonly port: number; readonly wanted: number },
): Promise<void> {
  const { url } = await client.portForward({ podSandboxId, port: [port] }, CALL);
  using spdy = await connectSpdy(url, ['portforward.k8s.io']);
  const bytes = countBytes(spdy);
  openPair(spdy, port);
  while (bytes() < wanted) await once(spdy.transport, 'data');
}

const PART = Buffer.alloc(32 * 1024); // as Kubernetes' clients cut what they send

/** Sends so many bytes to a port that reads them all and then ends. */
export async function feedPort(
  { client }: Target,
  podSandboxId: string,
  { port, wanted }: { readonly port: number; readonly wanted: number },
): Promise<void> {
  const { url } = await client.portForward({ podSandboxId, port: [port] }, CALL);
  using spdy = await connectSpdy(url, ['portforward.k8s.io']);
  const data = openPair(spdy, port);
  for (let sent = 0; sent < wanted; sent += PART.length) {
    if (!spdy.send(data, PART, { fin: sent + PART.length >= wanted })) await once(spdy.transport, 'drain');
  }
  while (!spdy.stream(data).ended) await once(spdy.transport, 'data');
}

/** @returns the stream for data */
function openPair(spdy: SpdyClient, port: number): number {
  const headers = { port: String(port), requestid: '0' };
  const error = spdy.open({ ...headers, streamtype: 'error' });
  spdy.send(error, '', { fin: true });
  return spdy.open({ ...headers, streamtype: 'data' });
}
