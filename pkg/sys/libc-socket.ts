// More declarations of C functions: addresses, passed descriptors, peers. As in libc.ts, each has a test.

import { ErrnoError, isErrno } from './errno.ts';
import { addressOf, AF_INET, AF_UNIX, check, cString, libc, type C, type Pointer } from './libc.ts';

const cConnect = libc.func('int connect(int fd, const void *address, uint length)') as C<
  [number, Pointer, number]
>;
const cBind = libc.func('int bind(int fd, const void *address, uint length)') as C<[number, Pointer, number]>;
const cListen = libc.func('int listen(int fd, int backlog)') as C<[number, number]>;
const cAccept4 = libc.func('int accept4(int fd, void *address, void *length, int flags)') as C<
  [number, Pointer, Pointer, number]
>;
const cRecvmsg = libc.func('long recvmsg(int fd, void *message, int flags)') as C<[number, Pointer, number]>;
const cSetsockopt = libc.func(
  'int setsockopt(int fd, int level, int name, const void *value, uint length)',
) as C<[number, number, number, Pointer, number]>;
const cPoll = libc.func('int poll(void *fds, unsigned long count, int timeout)') as C<
  [Pointer, number, number]
>;

const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;

/** Makes a unix socket listen at `path`, which must not exist. Source: bind(2), listen(2). */
export function listenUnix(fd: number, path: string): void {
  const address = Buffer.concat([Buffer.of(AF_UNIX, 0), cString(path, 'bind')]);
  if (address.length > 110) throw new ErrnoError(36, 'bind', path); // sizeof(struct sockaddr_un)
  check(cBind(fd, address, address.length), 'bind', path);
  check(cListen(fd, 1), 'listen', path);
}

/** @throws {ErrnoError} EAGAIN — nobody connects. Source: accept(2). */
export function accept(fd: number): number {
  return check(cAccept4(fd, null, null, SOCK_CLOEXEC | SOCK_NONBLOCK), 'accept4');
}

export const AF_INET6 = 10;

/**
 * Begins to connect to a loopback address. Called again once the socket is writable it tells how that went.
 *
 * @returns whether it is connected
 * @throws {ErrnoError} ECONNREFUSED and others. Source: connect(2), ip(7), ipv6(7).
 */
export function connectLoopback(fd: number, host: '127.0.0.1' | '::1', port: number): boolean {
  const address = host === '::1' ? Buffer.alloc(28) : Buffer.alloc(16); // struct sockaddr_in6, sockaddr_in
  address.writeUInt16LE(host === '::1' ? AF_INET6 : AF_INET, 0);
  address.writeUInt16BE(port, 2);
  if (host === '::1') address.writeUInt8(1, 23);
  else address.set([127, 0, 0, 1], 4);
  try {
    check(cConnect(fd, address, address.length), 'connect', host);
    return true;
  } catch (error) {
    if (isErrno(error, 'EISCONN')) return true;
    if (isErrno(error, 'EINPROGRESS', 'EALREADY')) return false;
    throw error;
  }
}

const MSG_CMSG_CLOEXEC = 0x40000000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
/** struct cmsghdr: length, level, type. */
const CONTROL_HEADER_BYTES = 16;

/**
 * The one descriptor that the peer of a unix socket passes with its next message. It closes on exec.
 *
 * @throws {ErrnoError} EAGAIN — there is no message; EBADMSG — there is one without a descriptor. Source: unix(7).
 */
export function receiveDescriptor(fd: number): number {
  const [data, vector, control] = [Buffer.alloc(4096), Buffer.alloc(16), Buffer.alloc(24)];
  vector.writeBigUInt64LE(addressOf(data), 0); // struct iovec
  vector.writeBigUInt64LE(BigInt(data.length), 8);
  const header = Buffer.alloc(56); // struct msghdr: name, vectors, control, flags
  header.writeBigUInt64LE(addressOf(vector), 16);
  header.writeBigUInt64LE(1n, 24);
  header.writeBigUInt64LE(addressOf(control), 32);
  header.writeBigUInt64LE(BigInt(control.length), 40);
  check(cRecvmsg(fd, header, MSG_CMSG_CLOEXEC), 'recvmsg');
  const [length, level, type] = [0, 8, 12].map((offset) => control.readUInt32LE(offset));
  if (length !== CONTROL_HEADER_BYTES + 4 || level !== SOL_SOCKET || type !== SCM_RIGHTS) {
    throw new ErrnoError(74, 'recvmsg'); // EBADMSG
  }
  return control.readInt32LE(CONTROL_HEADER_BYTES);
}

const SO_LINGER = 13;

/** Closing the TCP socket resets the connection from now on, unless both sides have ended it. Source: socket(7). */
export function resetOnClose(fd: number): void {
  const linger = Buffer.alloc(8); // struct linger: whether, seconds
  linger.writeInt32LE(1, 0);
  check(cSetsockopt(fd, SOL_SOCKET, SO_LINGER, linger, linger.length), 'setsockopt');
}

const POLLRDHUP = 0x2000;
const POLLERR_OR_HUP = 0x18;

/** Whether the peer of a stream socket sends no more, even if some of what it sent is unread. Source: poll(2). */
export function hasHungUp(fd: number): boolean {
  const request = Buffer.alloc(8); // struct pollfd: fd, events, returned events
  request.writeInt32LE(fd, 0);
  request.writeInt16LE(POLLRDHUP, 4);
  check(cPoll(request, 1, 0), 'poll');
  return (request.readInt16LE(6) & (POLLRDHUP | POLLERR_OR_HUP)) !== 0;
}
