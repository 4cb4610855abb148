// What is missing of an image before it is brought in, for whoever counts.

import type { LayerHealth } from './layer-health.ts';
import type { WantedLayer } from './layer.ts';

export interface LayersNeeded {
  readonly fetched: number;
  /** Here already, from another image. */
  readonly shared: number;
  /** Of those fetched, as they come. */
  readonly fetchedBytes: number;
}

export function needs(health: Pick<LayerHealth, 'isWhole'>, layers: readonly WantedLayer[]): LayersNeeded {
  const missing = layers.filter(({ chainId }) => !health.isWhole(chainId));
  return {
    fetched: missing.length,
    shared: layers.length - missing.length,
    fetchedBytes: missing.reduce((sum, { blob }) => sum + blob.size, 0),
  };
}
