// What the RPCs about usage need of the daemon.

import type { Stats } from '../../stats/stats.ts';
import type { ServerDeps } from '../deps.ts';

export interface StatsDeps extends Pick<ServerDeps, 'containers' | 'sandboxes'> {
  readonly stats: Pick<
    Stats,
    'groups' | 'detailedGroups' | 'networks' | 'layers' | 'capacity' | 'layersRoot'
  >;
}
