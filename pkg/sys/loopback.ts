// TCP connections to the loopback interface of any network namespace. The thread is in it for a few
// microseconds, while the socket is made; that belongs to the namespace from then on.

import { Socket } from 'node:net';
import type { Call } from '../base/call.ts';
import { ErrnoError, isErrno } from './errno.ts';
import { AF_INET, SOCK_STREAM, socket, AF_INET6, connectLoopback } from './libc/socket.ts';
import { inNetworkNamespace } from './namespace.ts';
import { closeFd } from './pipe.ts';
import { untilReady } from './when-ready.ts';

const ADDRESSES = ['127.0.0.1', '::1'] as const;

/**
 * Connects to a port of 127.0.0.1 or, if nobody listens there, of ::1. The two directions of the stream end
 * apart from each other.
 *
 * @param netns path of a network namespace; ours when absent
 * @throws {ErrnoError} ECONNREFUSED and whatever else tcp(7) says; ENOENT — there is no such namespace; the
 * reason of `call.signal`
 */
export async function connectToLoopback(
  call: Pick<Call, 'signal'>,
  netns: string | undefined,
  port: number,
): Promise<Socket> {
  const [ipv4, ipv6] = ADDRESSES;
  try {
    return await connect(call, netns, { host: ipv4, port });
  } catch (refusal) {
    if (!isErrno(refusal, 'ECONNREFUSED', 'EADDRNOTAVAIL', 'ENETUNREACH')) throw refusal;
    try {
      return await connect(call, netns, { host: ipv6, port });
    } catch (error) {
      throw error instanceof ErrnoError ? refusal : error;
    }
  }
}

interface Address {
  readonly host: (typeof ADDRESSES)[number];
  readonly port: number;
}

async function connect(
  call: Pick<Call, 'signal'>,
  netns: string | undefined,
  { host, port }: Address,
): Promise<Socket> {
  const make = () => socket(host === '::1' ? AF_INET6 : AF_INET, SOCK_STREAM);
  const fd = netns === undefined ? make() : inNetworkNamespace(netns, make);
  try {
    if (!connectLoopback(fd, host, port)) {
      await untilReady(call, fd, 'writable');
      connectLoopback(fd, host, port); // tells how it went
    }
  } catch (error) {
    closeFd(fd);
    throw error;
  }
  return new Socket({ fd, allowHalfOpen: true, readable: true, writable: true });
}
