// One exec: between a command's streams and those of a client, and at the end the exit code.

import { abortable } from '../async/abortable.ts';
import type { Call } from '../base/call.ts';
import { Fault } from '../base/fault.ts';
import type { Execution, ExecTarget, StreamBackend } from './backend.ts';
import type { ClientStreams } from './client-streams.ts';
import { ended, feed, Output } from './copy.ts';
import { exitStatus, faultStatus, type Status } from './status.ts';
import { readSizes } from './terminal-size.ts';

/**
 * Runs the command to its end, or until the client leaves: then it is killed.
 *
 * @param call whose signal aborts also when the client leaves
 */
export async function serveExec(
  backend: Pick<StreamBackend, 'exec'>,
  call: Call,
  target: ExecTarget,
  client: ClientStreams,
): Promise<void> {
  await client.finish(await run(backend, call, target, client));
}

async function run(
  backend: Pick<StreamBackend, 'exec'>,
  call: Call,
  target: ExecTarget,
  client: ClientStreams,
): Promise<Status> {
  try {
    await using execution = await backend.exec(call, target);
    return exitStatus(await connect(call, execution, client));
  } catch (error) {
    const fault = Fault.from(error);
    if (!client.left.aborted) call.log.info({ id: target.id, error: fault.message }, 'exec ended early');
    return await explain(fault, client);
  }
}

/** @returns the exit code, once all output is with the client */
async function connect(call: Call, execution: Execution, client: ClientStreams): Promise<number> {
  if (client.stdin !== undefined && execution.stdin !== undefined) feed(client.stdin, execution.stdin);
  if (client.resize !== undefined) {
    readSizes(client.resize, (size) => {
      execution.resize(size);
    });
  }
  const outputs: Output[] = [];
  if (client.stdout && execution.stdout) outputs.push(new Output(execution.stdout, client.stdout));
  if (client.stderr && execution.stderr) outputs.push(new Output(execution.stderr, client.stderr));
  const exitCode = await abortable(execution.ended(), call.signal);
  await abortable(Promise.all(outputs.map((output) => output.drain())), call.signal);
  return exitCode;
}

/** A command that cannot be run is answered as a shell does: with a message, and 126 or 127. */
async function explain(fault: Fault, { stdout, stderr }: ClientStreams): Promise<Status> {
  const { exitCode } = fault.detail;
  const output = stderr ?? stdout;
  if (typeof exitCode !== 'number' || output === undefined) return faultStatus(fault);
  output.write(`${fault.message}\n`);
  await ended(output);
  return exitStatus(exitCode);
}
