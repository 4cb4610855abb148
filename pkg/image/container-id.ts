// The id of a container becomes part of paths that are deleted and unmounted.

import { Fault } from '../base/fault.ts';
import type { ContainerId } from '../base/id.ts';

/** @throws {Fault} invalid_argument — it could lead elsewhere */
export function checkContainerId(id: ContainerId): ContainerId {
  if (/^[\w-]+$/.test(id)) return id;
  throw new Fault('invalid_argument', `"${id}" is no container id`);
}
