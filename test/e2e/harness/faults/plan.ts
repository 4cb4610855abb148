// What the tests and the hooks in the daemon say to each other, by files: which points were reached, and at which
// one the daemon is to die or to fail. A point is a side effect by name and place, the same in every run: ids and
// numbers are left out of it.

import { join } from 'node:path';

/** Just before a side effect, or just after it; or in place of it. */
export type Moment = 'before' | 'after' | 'failed';

export interface Point {
  readonly moment: Moment;
  /** `mount <run>/containers/<id>/rootfs` */
  readonly effect: string;
  /** 1 for the first with this effect since the hooks were armed. */
  readonly occurrence: number;
}

export interface Plan {
  /** What is replaced by `<root>` and the like. */
  readonly dirs: Readonly<Record<string, string>>;
  /** Tells of what is harmless too: it can fail. */
  readonly isForFailures: boolean;
  /** Where to die or to fail; nowhere when absent. */
  readonly faultAt?: FaultAt;
}

export interface FaultAt extends Point {
  /** How it fails; the daemon dies when absent. */
  readonly errno?: Errno;
  /** How often in a row; once when absent. */
  readonly times?: number;
}

/** How the system fails whoever does nothing wrong. */
export const ERRNOS = ['EIO', 'ENOSPC', 'EROFS', 'EMFILE'] as const;
export type Errno = (typeof ERRNOS)[number];

/** The directory that both know, in the daemon's environment. */
export const FAULT_DIR = 'DAVIT_TEST_FAULT_DIR';

/** While it is there, points count. */
export function planFile(dir: string): string {
  return join(dir, 'plan.json');
}

/** One point a line, as JSON. */
export function traceFile(dir: string): string {
  return join(dir, 'trace');
}

/** Makes the name of a place the same in every run. */
export function generalise(text: string, dirs: Plan['dirs']): string {
  let general = text;
  for (const [name, dir] of Object.entries(dirs)) general = general.replaceAll(dir, `<${name}>`);
  return general
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<uid>')
    .replaceAll(/<root>\/layers\/[^/ ]+/g, '<layer>')
    .replaceAll(/[0-9a-f]{64}/g, '<id>')
    .replaceAll(/[0-9a-f]{8,}/g, '<hex>')
    .replaceAll(/<root>\/(layers|ingest)\/[^/ ]+/g, '<root>/$1/<name>')
    .replaceAll(/\/proc\/self\/fd\/\d+/g, '<fd>')
    .replaceAll(/\/proc\/\d+/g, '/proc/<pid>')
    .replaceAll(/\d{3,}/g, '<number>');
}
