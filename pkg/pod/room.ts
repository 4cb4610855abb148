// Refuses what is new while the disk is full: what is there must still be recorded, and removed.

import { Fault } from '../base/fault.ts';
import { freeBytes } from '../sys/files.ts';

/** Less is full. The kubelet evicts pods long before. */
const MIN_FREE_BYTES = 8n * 1024n * 1024n;

/**
 * @param root what the daemon keeps on disk
 * @throws {Fault} resource_exhausted — there is no room for anything new
 */
export async function expectRoom(root: string): Promise<void> {
  const free = await freeBytes(root);
  if (free >= MIN_FREE_BYTES) return;
  throw new Fault('resource_exhausted', `the disk of "${root}" is full: ${free} bytes are free`, {
    detail: { root },
  });
}
