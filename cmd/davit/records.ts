// The records of sandboxes and containers, read once and kept in memory.

import type { Log } from '../../pkg/base/call.ts';
import type { ContainerId, SandboxId } from '../../pkg/base/id.ts';
import type { Container } from '../../pkg/container/container.ts';
import { containerCodec } from '../../pkg/container/record.ts';
import { sandboxCodec } from '../../pkg/sandbox/record.ts';
import type { Sandbox } from '../../pkg/sandbox/sandbox.ts';
import type { Database } from '../../pkg/store/database.ts';
import { RecordStore } from '../../pkg/store/record-store.ts';

export type Sandboxes = RecordStore<SandboxId, Sandbox>;
export type Containers = RecordStore<ContainerId, Container>;

export function loadSandboxes(db: Database, log: Log): Promise<Sandboxes> {
  return RecordStore.load(db, { kind: 'sandbox', codec: sandboxCodec, log });
}

export function loadContainers(db: Database, log: Log): Promise<Containers> {
  return RecordStore.load(db, { kind: 'container', codec: containerCodec, log });
}
