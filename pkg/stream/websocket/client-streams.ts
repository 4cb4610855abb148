// A command's streams over a WebSocket: there are as many channels as the subprotocol has, at once.

import type { WebSocket } from 'ws';
import { STREAM_NAMES, type ClientStreams, type StreamName } from '../client-streams.ts';
import { encodeStatus } from '../status.ts';
import type { CommandProtocol } from './protocols.ts';
import { Channels } from './channels.ts';

export function acceptWebSocketClient(
  socket: WebSocket,
  names: ReadonlySet<StreamName>,
  { version, encoding }: CommandProtocol,
): ClientStreams {
  const channels = new Channels({ socket, encoding, canClose: version >= 5 });
  const open = (name: StreamName) =>
    names.has(name) ? channels.open(STREAM_NAMES.indexOf(name)) : undefined;
  const [stdin, stdout, stderr, error, resize] = STREAM_NAMES.map(open);
  // "Notify the client that the connection is established": some wait for it.
  (stdout ?? stderr ?? error)?.write(Buffer.alloc(0));
  return {
    ...{ stdin, stdout, stderr, resize, left: channels.left },
    finish: async (status) => {
      error?.end(encodeStatus(status, version));
      await channels.close();
    },
  };
}
