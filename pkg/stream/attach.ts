// One attach: what a container prints from now on goes to a client, and what that types to the container.
//
// The container cannot be made to wait: its log would. What the client does not take is kept up to a bound, and
// a client that is further behind is dropped.

import type { Writable } from 'node:stream';
import { abortable } from '../async/abortable.ts';
import type { Call } from '../base/call.ts';
import { Fault } from '../base/fault.ts';
import { linkSignals } from '../base/signal.ts';
import type { AttachTarget, OnOutput, StreamBackend } from './backend.ts';
import type { ClientStreams } from './client-streams.ts';
import { ended, feed } from './copy.ts';
import { faultStatus, SUCCESS, type Status } from './status.ts';
import { readSizes } from './terminal-size.ts';

/** How far behind a client may be: some time for a terminal, little for a container that floods. */
const MAX_BEHIND_BYTES = 8 * 1024 * 1024;

/** What a chunk costs beside its bytes, so that many small ones are not free. */
const CHUNK_COST_BYTES = 512;

/** Goes on until the container ends or the client leaves. @param call whose signal aborts also then */
export async function serveAttach(
  backend: Pick<StreamBackend, 'attach'>,
  call: Call,
  target: AttachTarget,
  client: ClientStreams,
): Promise<void> {
  await client.finish(await run(backend, call, target, client));
}

async function run(
  backend: Pick<StreamBackend, 'attach'>,
  call: Call,
  target: AttachTarget,
  client: ClientStreams,
): Promise<Status> {
  const tooSlow = new AbortController();
  using either = linkSignals(call.signal, tooSlow.signal);
  try {
    const onOutput = boundedOutput(target, client, tooSlow);
    await using attachment = await backend.attach({ ...call, signal: either.signal }, target, onOutput);
    if (client.stdin !== undefined) feed(client.stdin, attachment.stdin);
    if (client.resize !== undefined) {
      readSizes(client.resize, (size) => {
        attachment.resize(size).catch(() => undefined); // the container has ended, and so does this
      });
    }
    await abortable(attachment.ended, either.signal);
    const outputs = [client.stdout, client.stderr].filter((output) => output !== undefined);
    await abortable(Promise.all(outputs.map(ended)), call.signal);
    return SUCCESS;
  } catch (error) {
    const fault = Fault.from(error);
    if (!client.left.aborted) call.log.info({ id: target.id, error: fault.message }, 'attach ended early');
    return faultStatus(fault);
  }
}

function boundedOutput({ id }: AttachTarget, client: ClientStreams, tooSlow: AbortController): OnOutput {
  let behind = 0;
  const send = (output: Writable, chunk: Buffer) => {
    const cost = chunk.length + CHUNK_COST_BYTES;
    behind += cost;
    output.write(chunk, () => {
      behind -= cost;
    });
    if (behind <= MAX_BEHIND_BYTES) return;
    const message = `attach to container "${id}": the client does not read fast enough`;
    tooSlow.abort(new Fault('resource_exhausted', message, { detail: { id } }));
  };
  return (name, chunk) => {
    const output = client[name];
    if (output?.writable === true && !tooSlow.signal.aborted) send(output, chunk);
  };
}
