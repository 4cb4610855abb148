// What is said between the daemon and the thread that reads for it.

import type { QUIT } from '../sys/end-worker.ts';
import type { CgroupRoots } from './cgroup-roots.ts';
import type { GroupsAsked, GroupsRead } from './group-reader.ts';
import type { NetworksRead } from './network.ts';
import type { TreeUsage } from './usage.ts';

/** What can be asked, and what is answered to it. */
export interface Questions {
  groups: { readonly asked: GroupsAsked & { readonly roots: CgroupRoots }; readonly answer: GroupsRead };
  /** Of network namespaces: an id of each, and where it is pinned. */
  networks: { readonly asked: ReadonlyMap<string, string>; readonly answer: NetworksRead };
  /** Of the directory at a path, which may be gone. */
  tree: { readonly asked: string; readonly answer: TreeUsage | undefined };
}

export type Question = {
  [Kind in keyof Questions]: {
    readonly id: number;
    readonly kind: Kind;
    readonly asked: Questions[Kind]['asked'];
  };
}[keyof Questions];

export type ToWorker = Question | typeof QUIT;

export type FromWorker =
  { readonly id: number; readonly answer: unknown } | { readonly id: number; readonly failure: string };
