// Whether this kernel confines programs with AppArmor. Profiles cannot be given to containers yet.

import { readFile } from 'node:fs/promises';
import { Fault } from '../base/fault.ts';
import type { Call } from '../base/call.ts';
import type { ProfileChoice } from './security-profile.ts';

/** `Y` where AppArmor is built in and on; the file is missing where it is not. */
const ENABLED_PATH = '/sys/module/apparmor/parameters/enabled';

/**
 * Refuses the profiles that a container cannot have here. The runtime's default and none at all are the same.
 *
 * @param enabledPath where the kernel says whether it is on
 * @throws {Fault} failed_precondition — the kernel has no AppArmor; unimplemented — it has
 */
export async function checkAppArmor(
  call: Call,
  choice: ProfileChoice,
  enabledPath = ENABLED_PATH,
): Promise<void> {
  if (choice.kind !== 'localhost') return;
  call.signal.throwIfAborted();
  const { reference } = choice;
  if (await isEnabled(enabledPath))
    throw new Fault('unimplemented', `AppArmor profile "${reference}": profiles are not supported yet`);
  throw new Fault(
    'failed_precondition',
    `cannot use AppArmor profile "${reference}": the kernel of this node has no AppArmor`,
  );
}

async function isEnabled(path: string): Promise<boolean> {
  try {
    return (await readFile(path, 'latin1')).startsWith('Y');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}
