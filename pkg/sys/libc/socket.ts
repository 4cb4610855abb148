// Sockets: their addresses, and descriptors that are passed through them.

import { ErrnoError, isErrno } from '../errno.ts';
import { O_CLOEXEC } from './flags.ts';
import { addressOf, check, cString, libc, type C, type Pointer } from './load.ts';

const cSocket = libc.func('int socket(int domain, int type, int protocol)') as C<[number, number, number]>;
const cConnect = libc.func('int connect(int fd, const void *address, uint length)') as C<
  [number, Pointer, number]
>;
const cSend = libc.func('long send(int fd, const void *data, size_t length, int flags)') as C<
  [number, Pointer, number, number]
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
const cGetsockname = libc.func('int getsockname(int fd, void *address, void *length)') as C<
  [number, Pointer, Pointer]
>;
const cGetpeername = libc.func('int getpeername(int fd, void *address, void *length)') as C<
  [number, Pointer, Pointer]
>;

export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_SEQPACKET = 5;
const SOCK_NONBLOCK = 0o4000;

/** A socket that never blocks and closes on exec. Source: socket(2). */
export function socket(domain: number, type: number, protocol = 0): number {
  return check(cSocket(domain, type | SOCK_NONBLOCK | O_CLOEXEC, protocol), 'socket');
}

/** @param path of a unix socket; a leading `@` means the abstract namespace. Source: connect(2), unix(7). */
export function connectUnix(fd: number, path: string): void {
  const name = path.startsWith('@') ? Buffer.from(`\0${path.slice(1)}`) : cString(path, 'connect');
  const address = Buffer.concat([Buffer.of(AF_UNIX, 0), name]);
  if (address.length > 110) throw new ErrnoError(36, 'connect', path); // sizeof(struct sockaddr_un)
  check(cConnect(fd, address, address.length), 'connect', path);
}

const MSG_NOSIGNAL = 0x4000;

/** @returns how many bytes were taken. Source: send(2). */
export function send(fd: number, data: Buffer): number {
  return check(cSend(fd, data, data.length, MSG_NOSIGNAL), 'send');
}

/** Makes a unix socket listen at `path`, which must not exist. Source: bind(2), listen(2). */
export function listenUnix(fd: number, path: string): void {
  const address = Buffer.concat([Buffer.of(AF_UNIX, 0), cString(path, 'bind')]);
  if (address.length > 110) throw new ErrnoError(36, 'bind', path); // sizeof(struct sockaddr_un)
  check(cBind(fd, address, address.length), 'bind', path);
  check(cListen(fd, 1), 'listen', path);
}

/** @throws {ErrnoError} EAGAIN — nobody connects. Source: accept(2). */
export function accept(fd: number): number {
  return check(cAccept4(fd, null, null, O_CLOEXEC | SOCK_NONBLOCK), 'accept4');
}

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

/**
 * What closing the TCP socket does from now on: `reset` the connection, unless both sides have ended it, or leave
 * it to the kernel to `deliver` what was written. Source: socket(7).
 */
export function setOnClose(fd: number, what: 'reset' | 'deliver'): void {
  const linger = Buffer.alloc(8); // struct linger: whether, seconds
  linger.writeInt32LE(what === 'reset' ? 1 : 0, 0);
  check(cSetsockopt(fd, SOL_SOCKET, SO_LINGER, linger, linger.length), 'setsockopt');
}

/** One end of a connection of TCP. */
export interface SocketAddress {
  /** 4 bytes, or 16. */
  readonly ip: Buffer;
  readonly port: number;
}

/** Source: getsockname(2). */
export function localAddress(fd: number): SocketAddress {
  return readAddress((address, length) => check(cGetsockname(fd, address, length), 'getsockname'));
}

/** @throws {ErrnoError} ENOTCONN — there is none any more. Source: getpeername(2). */
export function peerAddress(fd: number): SocketAddress {
  return readAddress((address, length) => check(cGetpeername(fd, address, length), 'getpeername'));
}

function readAddress(read: (address: Buffer, length: Buffer) => void): SocketAddress {
  const [address, length] = [Buffer.alloc(28), Buffer.alloc(4)]; // sizeof(struct sockaddr_in6)
  length.writeUInt32LE(address.length);
  read(address, length);
  const isIpv6 = address.readUInt16LE(0) === AF_INET6;
  return { ip: isIpv6 ? address.subarray(8, 24) : address.subarray(4, 8), port: address.readUInt16BE(2) };
}
