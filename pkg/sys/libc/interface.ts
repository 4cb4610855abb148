// Network interfaces.

import { ErrnoError } from '../errno.ts';
import { check, libc, type C, type Pointer } from './load.ts';

const cIoctl = libc.func('int ioctl(int fd, unsigned long request, void *argument)') as C<
  [number, number, Pointer]
>;

const SIOCGIFFLAGS = 0x8913;
const SIOCSIFFLAGS = 0x8914;
const IFF_UP = 1;

/** In the thread's network namespace. @param fd any socket. Source: netdevice(7). */
export function setInterfaceUp(fd: number, name: string): void {
  const request = Buffer.alloc(40); // struct ifreq: char name[16], short flags
  if (request.write(name) > 15) throw new ErrnoError(36, 'ioctl', name);
  check(cIoctl(fd, SIOCGIFFLAGS, request), 'ioctl', name);
  request.writeInt16LE(request.readInt16LE(16) | IFF_UP, 16);
  check(cIoctl(fd, SIOCSIFFLAGS, request), 'ioctl', name);
}
