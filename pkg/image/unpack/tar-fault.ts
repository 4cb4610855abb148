// What is wrong with a layer. It says nothing of which layer: who unpacks it knows.

import { Fault, type FaultCode } from '../../base/fault.ts';

/** @param name of the entry, with a character per byte */
export function badEntry(name: string, why: string, code: FaultCode = 'data_loss', cause?: unknown): Fault {
  return new Fault(code, `entry ${quote(name)}: ${why}`, cause === undefined ? {} : { cause });
}

export function badTar(why: string): Fault {
  return new Fault('data_loss', `the tar is damaged: ${why}`);
}

const SHOWN_LENGTH = 200;

/** Names come from anyone: no control characters, no end. */
function quote(name: string): string {
  const text = Buffer.from(name, 'latin1').toString();
  const shown = text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text;
  return JSON.stringify(shown);
}
