// Shows a container's log as the container wrote it: standard output and standard error apart.

import { status } from '@grpc/grpc-js';
import type { CriClient } from '../../api/cri/client.ts';
import { ContainerState } from '../../api/cri/generated/types.ts';
import { Fault } from '../../pkg/base/fault.ts';
import { parseLogLine, type LogLine } from '../../pkg/stream/log-line.ts';
import type { Io } from './command.ts';
import { isServiceError } from './explain.ts';
import { ASK } from './find.ts';
import { readLog } from './log-file.ts';

export interface ShowLogOptions {
  /** Until the container ends. */
  readonly follow?: boolean;
  readonly tail?: number | undefined;
  /** Nanoseconds since the Unix epoch: nothing older. */
  readonly sinceNs?: bigint | undefined;
  readonly timestamps?: boolean;
}

interface ShowLogDeps {
  readonly cri: CriClient;
  readonly io: Io;
}

/** The runtime is asked no more often than this whether the container has ended. */
const ASK_INTERVAL_MS = 500;

/** @throws {Fault} failed_precondition, not_found — the container has no log, or its file is not there */
export async function showLog(
  deps: ShowLogDeps,
  containerId: string,
  options: ShowLogOptions,
): Promise<void> {
  const { cri, io } = deps;
  const path = await logPathOf(cri, containerId);
  const { follow, tail, sinceNs = 0n, timestamps } = { follow: false, timestamps: false, ...options };
  const lines = readLog(path, { follow, tail, isOver: endWatcher(cri, containerId), signal: io.signal });
  let lineBegins = true;
  for await (const bytes of lines) {
    const line = parseOrReport(io, bytes);
    if (line === undefined || line.timeNs < sinceNs) continue;
    await io.write(textOf(line, timestamps && lineBegins), line.stream === 'stdout' ? 'out' : 'err');
    lineBegins = !line.partial;
  }
}

function textOf({ timestamp, content, partial }: LogLine, withTime: boolean): Buffer {
  return Buffer.concat([
    Buffer.from(withTime ? `${timestamp} ` : ''),
    content,
    Buffer.from(partial ? '' : '\n'),
  ]);
}

async function logPathOf(cri: CriClient, containerId: string): Promise<string> {
  const answer = await cri.containerStatus({ containerId }, ASK);
  const path = answer.status?.logPath ?? '';
  if (path !== '') return path;
  throw new Fault('failed_precondition', `container "${containerId}" was made without a log`);
}

/** A line that cannot be read is being written, or the disk was full: the rest is worth showing. */
function parseOrReport(io: Io, bytes: Buffer): LogLine | undefined {
  try {
    return parseLogLine(bytes);
  } catch (thrown) {
    io.err(thrown instanceof Error ? thrown.message : String(thrown));
    return undefined;
  }
}

function endWatcher(cri: CriClient, containerId: string): () => Promise<boolean> {
  let askedAtMs = -Infinity;
  return async () => {
    if (performance.now() - askedAtMs < ASK_INTERVAL_MS) return false;
    askedAtMs = performance.now();
    try {
      const { status: now } = await cri.containerStatus({ containerId }, ASK);
      return (
        now?.state !== ContainerState.CONTAINER_RUNNING && now?.state !== ContainerState.CONTAINER_CREATED
      );
    } catch (thrown) {
      if (isServiceError(thrown, status.NOT_FOUND)) return true;
      if (isServiceError(thrown, status.UNAVAILABLE)) return false; // a restart of the daemon: the log goes on
      throw thrown;
    }
  };
}
