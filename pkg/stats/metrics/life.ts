// Since when something is there, and until when it was seen.

import { gauge, toSeconds, type Metric } from './metric.ts';

export interface LifeSubject {
  readonly seenAtNs: bigint;
  readonly startedAtNs: bigint;
}

export const LIFE_METRICS: readonly Metric<LifeSubject>[] = [
  gauge('container_last_seen', 'When it was last seen, in seconds since the Unix epoch.', ({ seenAtNs }) =>
    toSeconds(seenAtNs),
  ),
  gauge('container_start_time_seconds', 'When it was started, since the Unix epoch.', ({ startedAtNs }) =>
    toSeconds(startedAtNs),
  ),
];
