// What the kernel knows of the other end of a TCP connection, if that is on this machine and in this network
// namespace. Source: sock_diag(7).

import { readSync } from 'node:fs';
import { isErrno } from './errno.ts';
import {
  AF_INET,
  AF_INET6,
  localAddress,
  peerAddress,
  send,
  SOCK_DGRAM,
  socket,
  type SocketAddress,
} from './libc/socket.ts';
import { closeFd } from './pipe.ts';

const AF_NETLINK = 16;
const NETLINK_SOCK_DIAG = 4;
const SOCK_DIAG_BY_FAMILY = 20;
const NLM_F_REQUEST = 1;
const IPPROTO_TCP = 6;

/** struct nlmsghdr, inet_diag_req_v2; of the answer, nlmsghdr and inet_diag_msg. */
const REQUEST_BYTES = 72;
const ADDRESSES_OFFSET = 24;
const INODE_OFFSET = 84;
const MIN_ANSWER_BYTES = 88;

/**
 * Whether no process has the peer's socket any more. The peer's kernel tells us that it has left only after all
 * that it sent, which is never as long as we do not read.
 *
 * @returns `false` also when the kernel cannot say, as of a peer on another machine
 */
export function isAbandonedByPeer(fd: number): boolean {
  const [ours, theirs] = [withoutMapping(localAddress(fd)), withoutMapping(peerAddress(fd))];
  const netlink = socket(AF_NETLINK, SOCK_DGRAM, NETLINK_SOCK_DIAG);
  try {
    send(netlink, encodeRequest(theirs, ours));
    const answer = Buffer.alloc(1024);
    const length = readSync(netlink, answer); // it is there: the kernel answers within send()
    if (length < MIN_ANSWER_BYTES || answer.readUInt16LE(4) !== SOCK_DIAG_BY_FAMILY) return false;
    return answer.readUInt32LE(INODE_OFFSET) === 0;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EAGAIN', 'EOPNOTSUPP')) return false;
    throw error;
  } finally {
    closeFd(netlink);
  }
}

/** Asks for the one socket that is bound to `source` and connected to `target`. */
function encodeRequest(source: SocketAddress, target: SocketAddress): Buffer {
  const request = Buffer.alloc(REQUEST_BYTES);
  request.writeUInt32LE(REQUEST_BYTES, 0);
  request.writeUInt16LE(SOCK_DIAG_BY_FAMILY, 4);
  request.writeUInt16LE(NLM_F_REQUEST, 6);
  request.writeUInt8(source.ip.length === 4 ? AF_INET : AF_INET6, 16);
  request.writeUInt8(IPPROTO_TCP, 17);
  request.writeUInt32LE(0xffffffff, 20); // in any state
  request.writeUInt16BE(source.port, ADDRESSES_OFFSET);
  request.writeUInt16BE(target.port, ADDRESSES_OFFSET + 2);
  request.set(source.ip, ADDRESSES_OFFSET + 4);
  request.set(target.ip, ADDRESSES_OFFSET + 20);
  request.fill(0xff, REQUEST_BYTES - 8); // INET_DIAG_NOCOOKIE
  return request;
}

/** A socket of IPv6 shows an address of IPv4 as `::ffff:a.b.c.d`; the peer's socket is one of IPv4. */
function withoutMapping({ ip, port }: SocketAddress): SocketAddress {
  const isMapped = ip.length === 16 && ip.readBigUInt64BE(0) === 0n && ip.readUInt32BE(8) === 0xffff;
  return { ip: isMapped ? ip.subarray(12) : ip, port };
}
