// What the metrics of a container are read from.

import type { DiskCapacity, GroupDetail, GroupUsage, TreeUsage } from '../usage.ts';

export interface GroupSubject {
  readonly usage: GroupUsage & { readonly detail: GroupDetail };
  /** Absent while it is not known. */
  readonly layer?: TreeUsage | undefined;
  readonly capacity: DiskCapacity;
  /** As it was asked for, where it was: version 2 keeps a weight in its place. */
  readonly cpuShares?: bigint | undefined;
}
