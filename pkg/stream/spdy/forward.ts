// Ports forwarded over SPDY: any number of connections to any ports, each a pair of streams.

import type { Duplex } from 'node:stream';
import type { Call } from '../../base/call.ts';
import { Fault } from '../../base/fault.ts';
import { linkSignals } from '../../base/signal.ts';
import type { PortForwardTarget, StreamBackend } from '../backend.ts';
import { forward, PairMaker } from '../port-forward.ts';
import { SpdyConnection } from './connection.ts';

/** Two for each connection. */
const MAX_STREAMS = 2048;

/** Goes on until the client leaves, or `call.signal` aborts. */
export async function forwardOverSpdy(
  backend: Pick<StreamBackend, 'connect'>,
  call: Call,
  target: PortForwardTarget,
  { transport, creationTimeoutMs }: { readonly transport: Duplex; readonly creationTimeoutMs: number },
): Promise<void> {
  const left = new AbortController();
  using either = linkSignals(call.signal, left.signal);
  const session = { ...call, signal: either.signal };
  const pairs = new PairMaker(creationTimeoutMs, (pair, port) => {
    void forward(backend, session, target, { ...pair, port }); // it tells its errors to the client
  });
  const connection = new SpdyConnection({
    transport,
    maxStreams: MAX_STREAMS,
    onStream: (stream) => {
      pairs.add(stream);
    },
  });
  const stop = () => {
    void connection.close(); // it never rejects
  };
  call.signal.addEventListener('abort', stop, { once: true });
  try {
    await connection.run();
  } finally {
    call.signal.removeEventListener('abort', stop);
    left.abort(new Fault('cancelled', 'the client left'));
  }
}
