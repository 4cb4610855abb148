// What an RPC answers when it refuses.

import { status } from '@grpc/grpc-js';

export interface Refusal {
  /** `NOT_FOUND` */
  readonly code: string;
  readonly message: string;
}

/** The refusal of a call that must not succeed. @throws if it does */
export async function refusalOf(call: Promise<unknown>): Promise<Refusal> {
  let answer: unknown;
  try {
    answer = await call;
  } catch (error) {
    if (error instanceof Error && 'code' in error && 'details' in error) {
      return { code: status[error.code as status], message: String(error.details) };
    }
    throw error;
  }
  throw new Error(`it should have been refused, but it was answered: ${toText(answer)}`);
}

function toText(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? part.toString() : part));
}
