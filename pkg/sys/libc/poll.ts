// When a descriptor is ready, or its peer has gone.

import { isErrno } from '../errno.ts';
import { check, libc, poll, type C, type Pointer } from './load.ts';

const cPoll = libc.func('int poll(void *fds, unsigned long count, int timeout)') as C<
  [Pointer, number, number]
>;

/**
 * Calls `onReadable` once, soon after the descriptor becomes readable, and keeps the event loop alive until
 * then. Dispose the result before closing the descriptor.
 */
export function whenReadable(fd: number, onReadable: () => void): Disposable {
  return whenReady(fd, { readable: true }, onReadable);
}

/** As `whenReadable()`. A socket that connects becomes writable when it has, or cannot. */
export function whenWritable(fd: number, onWritable: () => void): Disposable {
  return whenReady(fd, { writable: true }, onWritable);
}

function whenReady(
  fd: number,
  events: { readable?: boolean; writable?: boolean },
  onReady: () => void,
): Disposable {
  const handle = poll(fd, events, () => {
    handle.stop();
    setImmediate(onReady); // outside this callback, where Node would not run promises, nor catch errors
  });
  return {
    [Symbol.dispose]: () => {
      handle.close();
    },
  };
}

const POLLRDHUP = 0x2000;
const POLLERR_OR_HUP = 0x18;

/** Whether the peer of a stream socket sends no more, even if some of what it sent is unread. Source: poll(2). */
export function hasHungUp(fd: number): boolean {
  const request = Buffer.alloc(8); // struct pollfd: fd, events, returned events
  request.writeInt32LE(fd, 0);
  request.writeInt16LE(POLLRDHUP, 4);
  pollNow(request);
  return (request.readInt16LE(6) & (POLLRDHUP | POLLERR_OR_HUP)) !== 0;
}

/** A signal interrupts also one that does not wait: that of a child that ends, or of a profiler. */
function pollNow(request: Buffer): void {
  for (;;) {
    try {
      check(cPoll(request, 1, 0), 'poll');
      return;
    } catch (error) {
      if (!isErrno(error, 'EINTR')) throw error;
    }
  }
}
