// The records of sandboxes and containers, read once and kept in memory.

import { join } from 'node:path';
import type { Log } from '../../pkg/base/call.ts';
import type { ContainerId, SandboxId } from '../../pkg/base/id.ts';
import type { Container } from '../../pkg/container/container.ts';
import { MOVES as CONTAINER_MOVES } from '../../pkg/container/phase.ts';
import { containerCodec } from '../../pkg/container/record.ts';
import { MOVES as SANDBOX_MOVES } from '../../pkg/sandbox/phase.ts';
import { sandboxCodec } from '../../pkg/sandbox/record.ts';
import type { Sandbox } from '../../pkg/sandbox/sandbox.ts';
import type { Database } from '../../pkg/store/database.ts';
import { RecordCopies } from '../../pkg/store/record-copies.ts';
import { RecordStore } from '../../pkg/store/record-store.ts';

export type Sandboxes = RecordStore<SandboxId, Sandbox>;
export type Containers = RecordStore<ContainerId, Container>;

/** Where the copies of records lie, in a directory for each kind. */
interface Copies {
  readonly dir: string;
  readonly log: Log;
}

export async function loadSandboxes(db: Database, { dir, log }: Copies): Promise<Sandboxes> {
  const copies = await RecordCopies.open(join(dir, 'sandbox'), log);
  const isLater = (copy: Sandbox, record: Sandbox) =>
    isLaterPhase(SANDBOX_MOVES, copy.state.phase, record.state.phase);
  return await RecordStore.load(db, { kind: 'sandbox', codec: sandboxCodec, log, copies, isLater });
}

export async function loadContainers(db: Database, { dir, log }: Copies): Promise<Containers> {
  const copies = await RecordCopies.open(join(dir, 'container'), log);
  const isLater = (copy: Container, record: Container) =>
    isLaterPhase(CONTAINER_MOVES, copy.state.phase, record.state.phase);
  return await RecordStore.load(db, { kind: 'container', codec: containerCodec, log, copies, isLater });
}

/** The tables of moves have the phases in the order of a life. */
function isLaterPhase<Phase extends string>(moves: Record<Phase, unknown>, a: Phase, b: Phase): boolean {
  const order = Object.keys(moves);
  return order.indexOf(a) > order.indexOf(b);
}
