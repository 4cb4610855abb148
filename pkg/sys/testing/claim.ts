// What tests and benchmarks make on this machine they claim first: a file says what it is, and which process makes it.
// So a later run can take away what a killed one has left: see clear-abandoned.ts.

import { randomBytes } from 'node:crypto';
import { lstatSync, mkdirSync, readFileSync, readlinkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { identifyNow, type ProcessIdentity } from '../process-identity.ts';
import type { Belongings } from './belongings.ts';

/** Where claims are, if a test does not say otherwise; not below TMPDIR, which tests have one each of. */
export const CLAIMS = `/tmp/davit-claims-${process.getuid?.() ?? 0}`;

export interface Owner extends ProcessIdentity {
  /** What the pid is worth without: a boot, and a namespace of pids. */
  readonly boot: string;
  readonly pidNamespace: string;
}

export interface ClaimFile {
  readonly owner: Owner;
  readonly belongings: Belongings;
}

/**
 * Says that this process makes these things. They need not be there yet.
 *
 * @returns what is disposed once they are gone
 */
export function claim(belongings: Belongings, claims = CLAIMS): Disposable {
  ensureOurs(claims);
  const path = join(claims, `${randomBytes(8).toString('hex')}.json`);
  const content: ClaimFile = { owner: ourselves(), belongings };
  writeFileSync(`${path}.new`, JSON.stringify(content), { mode: 0o600 });
  renameSync(`${path}.new`, path);
  return {
    [Symbol.dispose]: () => {
      rmSync(path, { force: true });
    },
  };
}

/** Claims say what is deleted, so that nobody else may write them. */
export function ensureOurs(claims: string): void {
  mkdirSync(claims, { recursive: true, mode: 0o700 });
  const { uid, mode } = lstatSync(claims);
  if (uid !== process.getuid?.() || (mode & 0o170_777) !== 0o040_700)
    throw new Error(`"${claims}" is not a directory of ours alone`);
}

function ourselves(): Owner {
  const identity = identifyNow(process.pid);
  if (identity === undefined) throw new Error('/proc does not show this process');
  return { ...identity, boot: bootId(), pidNamespace: pidNamespace() };
}

export const bootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
export const pidNamespace = (): string => readlinkSync('/proc/self/ns/pid');
