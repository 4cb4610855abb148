// Records that no daemon of this version can read. What they stand for is left alone: it may well be running.

import type { Quarantine } from '../../store/quarantine.ts';
import type { Finding, Inspection } from './finding.ts';

/** @param quarantine the records set aside, as `container/<id>` */
export function inspectUnreadable(quarantine: Pick<Quarantine, 'keys' | 'forget'>): Inspection {
  return () =>
    Promise.resolve(
      quarantine.keys().map((key): Finding => ({
        kind: 'unreadable_record',
        subject: key,
        problem: 'the record cannot be read: it is damaged, or a later version wrote it',
        advice:
          'start the version of davit that wrote it; or have davitctl doctor --repair forget it, which makes what it stands for unknown',
        repair: { isSafe: false, run: () => quarantine.forget(key) },
      })),
    );
}
