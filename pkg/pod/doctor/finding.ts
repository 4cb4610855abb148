// What is not as it should be on this node, each in words that an operator can act on.

import type { Call } from '../../base/call.ts';

/** For people: what each kind is. In metrics they are labels, so that the list is closed. */
export const FINDING_KINDS = {
  stray_files: 'files, mounts or namespaces of a pod or container that is not known',
  stray_process: 'a monitor or a container that is not known and runs',
  unfinished: 'an operation that was cut off and could not be undone or finished',
  broken_pod: 'a pod that is ready and lacks something that its containers share',
  unwatched: 'a container that runs without its monitor',
  missing_files: 'a container whose files are gone',
  damaged_layer: 'a layer of an image that is damaged or gone',
  unreadable_record: 'a record that cannot be read',
  host: 'something on the host that pods need',
} as const;

export type FindingKind = keyof typeof FINDING_KINDS;

export interface Finding {
  readonly kind: FindingKind;
  /** An id or a path; for the host, what was looked at: `sysctl net.ipv4.ip_forward`. */
  readonly subject: string;
  readonly problem: string;
  /** What to do about it. */
  readonly advice: string;
  readonly repair?: Repair;
}

export interface Repair {
  /** Whether it concerns only what is surely ours and surely dead: then the daemon does it of itself. */
  readonly isSafe: boolean;
  /** May be repeated. */
  readonly run: (call: Call) => Promise<void>;
}

/** A finding, and what became of it. */
export interface Report extends Omit<Finding, 'repair'> {
  readonly canRepair: boolean;
  readonly repaired: boolean;
  /** Why it could not be repaired; '' if it was not tried, or was. */
  readonly failure: string;
}

/** One way to look at the node. */
export type Inspection = (call: Call) => Promise<Finding[]>;
