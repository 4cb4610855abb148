// CRI's UserNamespace and IDMapping: one range of ids, from 0 on, the same for users and groups.

import {
  NamespaceMode,
  namespaceModeName,
  type IDMapping,
  type UserNamespace,
  type UserNamespaceInit,
} from '../../../api/cri/generated/types.ts';
import { isSameMapping, type IdMapping } from '../../sys/user-namespace.ts';
import { refuse } from './field.ts';

/**
 * @param at the field that holds the options
 * @returns `undefined` for the users of the node
 * @throws {Fault} invalid_argument — a mode other than POD and NODE, or mappings that do not fit it
 */
export function toUserNamespace(options: UserNamespace | undefined, at: string): IdMapping | undefined {
  const field = `${at}.userns_options`;
  const { mode, uids, gids } = options ?? { mode: NamespaceMode.NODE, uids: [], gids: [] };
  switch (mode) {
    case NamespaceMode.POD:
      return toIdMapping(uids, gids, { uids: `${field}.uids`, gids: `${field}.gids` });
    case NamespaceMode.NODE:
      if (uids.length + gids.length > 0)
        throw refuse(`${field}.mode`, 'NODE', 'does not go with mappings of ids');
      return undefined;
    default:
      throw refuse(`${field}.mode`, namespaceModeName(mode), 'is not possible: it is POD or NODE');
  }
}

/** @throws {Fault} invalid_argument — not one mapping from id 0 on, or not the same for users and groups */
export function toIdMapping(
  uids: readonly IDMapping[],
  gids: readonly IDMapping[],
  fields: { readonly uids: string; readonly gids: string },
): IdMapping {
  const mapping = toOneMapping(uids, fields.uids);
  if (!isSameMapping(mapping, toOneMapping(gids, fields.gids)))
    throw refuse(fields.gids, show(gids), `differs from "${show(uids)}" of the users`);
  return mapping;
}

/** The kernel's ids have 32 bits, and the last one means "none". */
const ID_COUNT = 2 ** 32 - 1;

function toOneMapping(mappings: readonly IDMapping[], field: string): IdMapping {
  const [mapping, another] = mappings;
  if (mapping === undefined || another !== undefined)
    throw refuse(field, show(mappings), 'is not one mapping');
  const { containerId, hostId, length } = mapping;
  if (containerId !== 0) throw refuse(field, show(mappings), 'does not map id 0 of the container');
  if (hostId === 0) throw refuse(field, show(mappings), 'maps to root of the node');
  if (length < 1 || hostId + length > ID_COUNT) throw refuse(field, show(mappings), 'is not a range of ids');
  return { hostId, length };
}

/** As in /proc/<pid>/uid_map: `0 65536 65536`. */
function show(mappings: readonly IDMapping[]): string {
  return mappings.map(({ containerId, hostId, length }) => `${containerId} ${hostId} ${length}`).join(', ');
}

export function fromUserNamespace({ hostId, length }: IdMapping): UserNamespaceInit {
  const mappings = [{ containerId: 0, hostId, length }];
  return { mode: NamespaceMode.POD, uids: mappings, gids: mappings };
}
