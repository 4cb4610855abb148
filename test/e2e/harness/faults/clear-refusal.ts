// What a call may answer when something on the node has failed: a status that says what, to people.

import { status } from '@grpc/grpc-js';
import type { Refusal } from '../refusal.ts';

/** @returns `undefined` if the call succeeds */
export async function refusalIfAny(call: Promise<unknown>): Promise<Refusal | undefined> {
  try {
    await call;
    return undefined;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && 'details' in error)) throw error;
    return { code: status[error.code as status], message: String(error.details) };
  }
}

/** @throws if it is a stack, or says nothing of what it is about */
export function expectClear({ code, message }: Refusal): void {
  const namesSomething = /["'][^"']+["']/.test(message) || message.startsWith('cannot ');
  const isStack = /\n\s+at |TypeError|undefined/.test(message);
  const isStatus = code !== 'UNKNOWN' && code !== 'CANCELLED' && code !== 'ABORTED';
  if (!namesSomething || isStack || !isStatus) throw new Error(`it is not clear: ${code}: ${message}`);
}
