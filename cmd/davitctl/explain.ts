// What went wrong, in one line that says what to do next.

import { status, type ServiceError } from '@grpc/grpc-js';
import { access, constants } from 'node:fs/promises';
import { Fault } from '../../pkg/base/fault.ts';

/** The command line is wrong: exit status 2, and the usage is shown. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export async function explain(thrown: unknown, socketPath: string): Promise<string> {
  if (isServiceError(thrown)) return oneLine(await explainStatus(thrown, socketPath));
  if (thrown instanceof Fault) return oneLine(chain(thrown));
  return oneLine(thrown instanceof Error ? thrown.message : String(thrown));
}

export function isServiceError(thrown: unknown, code?: status): thrown is ServiceError {
  if (!(thrown instanceof Error) || !('details' in thrown) || !('code' in thrown)) return false;
  return code === undefined || thrown.code === code;
}

async function explainStatus(error: ServiceError, socketPath: string): Promise<string> {
  const { code, details, message } = error;
  if (code === status.UNAVAILABLE) return (await explainSocket(socketPath)) ?? details;
  if (code === status.UNIMPLEMENTED) return `the runtime at "${socketPath}" cannot do this: ${details}`;
  if (code === status.DEADLINE_EXCEEDED) {
    return `no answer in time (${details}); it may still happen: look with davitctl ps -a`;
  }
  return details === '' ? message : details;
}

/** @returns `undefined` when the socket is in order, so that it must be something else */
async function explainSocket(path: string): Promise<string | undefined> {
  const advice = 'name another socket with --socket or DAVIT_SOCKET';
  try {
    await access(path, constants.R_OK | constants.W_OK);
    return undefined;
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? thrown.code : '';
    if (code === 'EACCES') return `no access to the socket "${path}": run this as root`;
    return `there is no runtime at "${path}": start it (systemctl start davit), or ${advice}`;
  }
}

function chain(fault: Fault): string {
  const cause = fault.cause instanceof Error ? `: ${fault.cause.message}` : '';
  return fault.message + cause;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ');
}
