// Waiting for a descriptor that no stream owns.

import type { Call } from '../base/call.ts';
import { whenReadable, whenWritable } from './libc/poll.ts';

/** @throws the reason of `call.signal` when it aborts */
export async function untilReady(
  call: Pick<Call, 'signal'>,
  fd: number,
  what: 'readable' | 'writable',
): Promise<void> {
  call.signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const watch = what === 'readable' ? whenReadable : whenWritable;
  using _watch = watch(fd, () => {
    resolve(undefined);
  });
  const onAbort = () => {
    reject(call.signal.reason as Error);
  };
  call.signal.addEventListener('abort', onAbort, { once: true });
  try {
    await promise;
  } finally {
    call.signal.removeEventListener('abort', onAbort);
  }
}
