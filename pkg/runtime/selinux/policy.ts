// The labels that the policy of this node has for containers.

import { join } from 'node:path';
import { readTextIfExists } from '../../sys/files.ts';
import type { ConfinedLabels } from './context.ts';

/** Of the package container-selinux, which all policies for containers follow. */
const DEFAULTS = {
  process: 'system_u:system_r:container_t:s0',
  mount: 'system_u:object_r:container_file_t:s0',
};

/**
 * Source: selinux_lxc_contexts_path(3); opencontainers/selinux looks at both files, in this order.
 *
 * @param root of the node
 * @returns those of container-selinux where no file says anything
 */
export async function readContainerLabels(root: string): Promise<ConfinedLabels> {
  const { SELINUXTYPE: type = '' } = toSettings(await readTextIfExists(join(root, 'etc/selinux/config')));
  const ofPolicy = join(root, 'etc/selinux', type, 'contexts/lxc_contexts');
  const text =
    (await readTextIfExists(join(root, 'usr/share/containers/selinux/contexts'))) ??
    (/^[\w-]+$/.test(type) ? await readTextIfExists(ofPolicy) : undefined);
  const { process, file } = toSettings(text);
  return { process: process ?? DEFAULTS.process, mount: file ?? DEFAULTS.mount };
}

/** Lines `name = "value"`; comments begin with `#` or `;`. */
function toSettings(text = ''): Partial<Record<string, string>> {
  const settings: Partial<Record<string, string>> = {};
  for (const line of text.split('\n')) {
    const [, name, value] = /^\s*(\w+)\s*=\s*"?([^"]*?)"?\s*$/.exec(line) ?? [];
    if (name !== undefined) settings[name] = value;
  }
  return settings;
}
