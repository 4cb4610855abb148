// Takes away what tests and benchmarks have left that were killed: only what is claimed, and only if its owner has ended.

import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno } from '../errno.ts';
import { isAlive } from '../process-identity.ts';
import { bootId, CLAIMS, ensureOurs, pidNamespace, type ClaimFile, type Owner } from './claim.ts';
import { takeAway } from './take-away.ts';

/** @returns a sentence for each that could not be taken away; a later call tries again */
export async function clearAbandoned(claims = CLAIMS): Promise<string[]> {
  ensureOurs(claims);
  const failures: string[] = [];
  for (const name of readdirSync(claims).filter((each) => each.endsWith('.json'))) {
    const path = join(claims, name);
    const found = readIfThere(path);
    if (found === undefined || !(await hasEnded(found.owner))) continue;
    try {
      await takeAway(found.belongings);
      rmSync(path, { force: true });
    } catch (error) {
      failures.push(`what "${path}" claims is not gone: ${String(error)}`);
    }
  }
  return failures;
}

/** From another namespace it cannot be told, and so has not ended. */
async function hasEnded(owner: Owner): Promise<boolean> {
  if (owner.boot !== bootId()) return true;
  return owner.pidNamespace === pidNamespace() && !(await isAlive(owner));
}

/** Another run may be clearing too. */
function readIfThere(path: string): ClaimFile | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as ClaimFile; // written whole, by us
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
