// conmon's attach socket: a container's output as it comes, and its standard input.
//
// It keeps the bounds of packets. conmon waits for whoever does not read, and the container with it, so that
// output is always taken. Source: conmon 2.1.6 to 2.2.1 as observed.

import { open } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { Writable } from 'node:stream';
import { Fault } from '../base/fault.ts';
import { duplexFd } from '../sys/duplex-fd.ts';
import { isErrno } from '../sys/errno.ts';
import { AF_UNIX, connectUnix, SOCK_SEQPACKET, socket } from '../sys/libc/socket.ts';
import { closeFd } from '../sys/pipe.ts';

/** The first byte of each packet of output. */
const STREAM_NAMES = new Map<number | undefined, 'stdout' | 'stderr'>([
  [2, 'stdout'],
  [3, 'stderr'],
]);

export interface ConmonAttachment extends AsyncDisposable {
  /**
   * What the container reads. Its end is one for the container too if that was made for one client only; so is,
   * then, the end of the attachment itself.
   */
  readonly stdin: Writable;
  /** When the container has ended, or its conmon. It never rejects. */
  readonly ended: Promise<void>;
}

/**
 * @param onOutput is given all that the container prints from now on, as it comes
 * @throws {Fault} failed_precondition — conmon is gone
 */
export async function attachToConmon(
  { id, bundle }: { readonly id: string; readonly bundle: string },
  onOutput: (name: 'stdout' | 'stderr', chunk: Buffer) => void,
): Promise<ConmonAttachment> {
  const connection = duplexFd(await connect(id, bundle));
  connection.on('data', (packet: Buffer) => {
    const name = STREAM_NAMES.get(packet[0]);
    if (name !== undefined) onOutput(name, packet.subarray(1));
  });
  connection.on('end', () => connection.destroy());
  connection.on('error', () => undefined); // 'close' follows
  const ended = new Promise<void>((resolve) => {
    connection.on('close', () => {
      resolve();
    });
  });
  return {
    stdin: packetWriter(connection),
    ended,
    [Symbol.asyncDispose]: async () => {
      connection.destroy();
      await ended;
    },
  };
}

/** By way of a descriptor of the directory, because the path may be too long for a socket's. */
async function connect(id: string, bundle: string): Promise<number> {
  await using dir = await open(bundle);
  const fd = socket(AF_UNIX, SOCK_SEQPACKET);
  try {
    connectUnix(fd, `/proc/self/fd/${dir.fd}/attach`);
    return fd;
  } catch (cause) {
    closeFd(fd);
    if (!isErrno(cause, 'ENOENT', 'ECONNREFUSED')) throw cause;
    throw new Fault('failed_precondition', `conmon of container "${id}" is gone`, { detail: { id }, cause });
  }
}

/** conmon takes no more of a packet. */
const MAX_PACKET_BYTES = 8 * 1024;

/** Writes packet by packet: what is queued in a socket may be put together into one that is too long. */
function packetWriter(connection: Socket): Writable {
  const writer = new Writable({
    highWaterMark: MAX_PACKET_BYTES,
    write: (chunk: Buffer, _encoding, done) => {
      if (chunk.length <= MAX_PACKET_BYTES) connection.write(chunk, done);
      else writeParts(connection, chunk, done);
    },
    final: (done) => {
      connection.end(done);
    },
  });
  writer.on('error', () => undefined); // 'close' follows
  connection.on('close', () => writer.destroy());
  return writer;
}

function writeParts(connection: Socket, chunk: Buffer, done: (error?: Error | null) => void): void {
  if (chunk.length === 0) {
    done();
    return;
  }
  connection.write(chunk.subarray(0, MAX_PACKET_BYTES), (error) => {
    if (error) done(error);
    else writeParts(connection, chunk.subarray(MAX_PACKET_BYTES), done);
  });
}
