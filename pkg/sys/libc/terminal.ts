// Pseudoterminals.

import { ErrnoError } from '../errno.ts';
import { O_CLOEXEC } from './flags.ts';
import { check, libc, type C, type Pointer } from './load.ts';

const cIoctl = libc.func('int ioctl(int fd, unsigned long request, void *argument)') as C<
  [number, number, Pointer]
>;
const cOpenpt = libc.func('int posix_openpt(int flags)') as C<[number]>;
const cGrantpt = libc.func('int grantpt(int fd)') as C<[number]>;
const cUnlockpt = libc.func('int unlockpt(int fd)') as C<[number]>;
const cPtsname = libc.func('int ptsname_r(int fd, void *name, size_t length)') as C<
  [number, Pointer, number]
>;

const O_RDWR = 2;
const O_NOCTTY = 0o400;

/**
 * A new pseudoterminal, unlocked.
 * @returns the descriptor of its master, which closes on exec, and the path of its slave. Source: pts(4).
 */
export function openPty(): { masterFd: number; slavePath: string } {
  const masterFd = check(cOpenpt(O_RDWR | O_NOCTTY | O_CLOEXEC), 'posix_openpt');
  check(cGrantpt(masterFd), 'grantpt');
  check(cUnlockpt(masterFd), 'unlockpt');
  const name = Buffer.alloc(64);
  const errno = Number(cPtsname(masterFd, name, name.length));
  if (errno !== 0) throw new ErrnoError(errno, 'ptsname_r');
  return { masterFd, slavePath: name.toString('utf8', 0, name.indexOf(0)) };
}

const TIOCSWINSZ = 0x5414;

/** Source: TIOCSWINSZ(2const). */
export function setWindowSize(fd: number, rows: number, columns: number): void {
  const size = Buffer.alloc(8); // struct winsize: rows, columns, and two that nobody uses
  size.writeUInt16LE(rows, 0);
  size.writeUInt16LE(columns, 2);
  check(cIoctl(fd, TIOCSWINSZ, size), 'ioctl');
}
