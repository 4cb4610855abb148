// What the tests and the hooks in the daemon say to each other, by files: which points were reached, and at which
// one the daemon is to die. A point is a side effect by name and place, the same in every run: ids and numbers are
// left out of it.

import { join } from 'node:path';

/** Just before a side effect, or just after it. */
export type Moment = 'before' | 'after';

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
  /** Where to die; nowhere when absent. */
  readonly dieAt?: Point;
}

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
    .replaceAll(/[0-9a-f]{64}/g, '<id>')
    .replaceAll(/[0-9a-f]{8,}/g, '<hex>')
    .replaceAll(/<root>\/(layers|ingest)\/[^/ ]+/g, '<root>/$1/<name>')
    .replaceAll(/\/proc\/self\/fd\/\d+/g, '<fd>')
    .replaceAll(/\/proc\/\d+/g, '/proc/<pid>')
    .replaceAll(/\d{3,}/g, '<number>');
}
