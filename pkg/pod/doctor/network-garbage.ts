// Has plugins give back what they hold for pods that are gone: addresses whose record was lost, or whose DEL was never
// run. A pod that may be there still is never among them: its address would be given to another.

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Call } from '../../base/call.ts';
import { Fault } from '../../base/fault.ts';
import type { SandboxId } from '../../base/id.ts';
import type { NetworkConfigList } from '../../network/network-config.ts';
import type { Networks } from '../../network/networks.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import type { Quarantine } from '../../store/quarantine.ts';
import { isErrno } from '../../sys/errno.ts';

export interface NetworkGarbageDeps {
  readonly runDir: string;
  readonly sandboxes: { list(): Sandbox[] };
  readonly quarantine: Pick<Quarantine, 'keys'>;
  /** The networks that new pods join. */
  readonly selected: () => readonly NetworkConfigList[];
  readonly networks: Pick<Networks, 'collectGarbage'>;
}

/** A plugin that cannot is logged, once for each thing that it says. */
export function collectNetworkGarbage(deps: NetworkGarbageDeps): (call: Call) => Promise<void> {
  const told = new Map<string, string>();
  return async (call) => {
    for (const list of deps.selected()) {
      const problem = await collectFrom(deps, call, list);
      if (problem !== undefined && told.get(list.name) !== problem)
        call.log.warn({ network: list.name, problem }, 'network not cleaned up');
      if (problem === undefined) told.delete(list.name);
      else told.set(list.name, problem);
    }
  };
}

/** @returns what went wrong */
async function collectFrom(
  deps: NetworkGarbageDeps,
  call: Call,
  list: NetworkConfigList,
): Promise<string | undefined> {
  try {
    await deps.networks.collectGarbage(call, list, () => podsOf(deps, list));
    return undefined;
  } catch (error) {
    return Fault.from(error).message;
  }
}

/**
 * Whoever has a record that names the network and has not been detached from it; whoever has a record that cannot be
 * read; and whoever has a directory, should the records be lost.
 */
async function podsOf(deps: NetworkGarbageDeps, { name }: NetworkConfigList): Promise<SandboxId[]> {
  const directories = await namesIn(join(deps.runDir, 'sandboxes'));
  const unreadable = deps.quarantine.keys().map((key) => key.slice(key.indexOf('/') + 1));
  const recorded = deps.sandboxes
    .list()
    .filter(({ networkConfig, state }) => networkConfig?.name === name && state.phase !== 'stopped')
    .map(({ id }) => id);
  return [...new Set([...recorded, ...unreadable, ...directories])] as SandboxId[]; // or of no pod: then it means none
}

async function namesIn(dir: string): Promise<string[]> {
  try {
    return await readdir(dir);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}
