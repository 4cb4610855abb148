// A command's streams over SPDY: the client opens one for each, and says in a header which it is.

import type { Duplex } from 'node:stream';
import { Fault } from '../../base/fault.ts';
import { STREAM_NAMES, type ClientStreams, type StreamName } from '../client-streams.ts';
import { ended } from '../copy.ts';
import { encodeStatus } from '../status.ts';
import { LINGER_MS, within } from '../within.ts';
import { SpdyConnection } from './connection.ts';
import type { SpdyStream } from './stream.ts';

export interface SpdyClientOptions {
  readonly transport: Duplex;
  readonly names: ReadonlySet<StreamName>;
  /** Of the subprotocol: 1 to 4. */
  readonly version: number;
  /** How long the client may take to open them all. */
  readonly creationTimeoutMs: number;
}

/** @throws {Fault} cancelled — the client left; deadline_exceeded — it did not open them in time */
export async function acceptSpdyClient(options: SpdyClientOptions): Promise<ClientStreams> {
  const { transport, names, version, creationTimeoutMs } = options;
  const streams = new Map<StreamName, SpdyStream>();
  const complete = Promise.withResolvers<undefined>();
  const left = new AbortController();
  const onStream = (stream: SpdyStream) => {
    const name = STREAM_NAMES.find((known) => known === stream.headers.get('streamtype'));
    if (name === undefined || !names.has(name) || streams.has(name)) {
      stream.destroy();
      return;
    }
    streams.set(name, stream);
    if (name !== 'stdin' && name !== 'resize') stream.resume(); // clients write nothing there
    if (streams.size === names.size) complete.resolve(undefined);
  };
  const connection = new SpdyConnection({ transport, maxStreams: STREAM_NAMES.length, onStream });
  const leave = (reason: unknown) => {
    left.abort(reason);
    complete.reject(reason);
  };
  connection.run().then(() => {
    leave(new Fault('cancelled', 'the client left'));
  }, leave);
  const timer = setTimeout(() => {
    complete.reject(new Fault('deadline_exceeded', 'the client did not open its streams in time'));
  }, creationTimeoutMs);
  try {
    await complete.promise;
  } catch (error) {
    transport.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
  return {
    stdin: streams.get('stdin'),
    stdout: streams.get('stdout'),
    stderr: streams.get('stderr'),
    resize: streams.get('resize'),
    left: left.signal,
    finish: async (status) => {
      const error = streams.get('error');
      error?.write(encodeStatus(status, version));
      await within(LINGER_MS, Promise.all([...streams.values()].map(ended)));
      await connection.close();
    },
  };
}
