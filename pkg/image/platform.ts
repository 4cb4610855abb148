// Which of the manifests of an index is for this machine.

import type { Index, IndexEntry } from './manifest.ts';

export interface Platform {
  readonly os: string;
  readonly architecture: string;
}

/** Node's names of architectures, in Go's, which images use. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le' };

export function hostPlatform(): Platform {
  return { os: 'linux', architecture: ARCHITECTURES[process.arch] ?? process.arch };
}

/** The variants that every machine of the architecture can run; amd64/v3 is not among them. */
const BASE_VARIANTS: Readonly<Record<string, readonly string[]>> = {
  amd64: ['v1'],
  arm64: ['v8'],
  arm: ['v7', 'v6', 'v5'],
};

/**
 * The first of those that fit best; `undefined` if none does. Attestations and signatures never do; other artifacts
 * only where there is no image for any platform.
 */
export function selectPlatform(index: Index, platform: Platform): IndexEntry | undefined {
  const entries = index.manifests.filter((entry) => !isAttachment(entry));
  const images = entries.filter(({ artifactType }) => (artifactType ?? '') === '');
  const candidates = images.length > 0 ? images : entries;
  const fitting = candidates
    .map((entry) => ({ entry, rank: rankOf(entry, platform) }))
    .filter(({ rank }) => rank >= 0)
    .sort((a, b) => a.rank - b.rank); // stable: the order of the index decides among equals
  return fitting[0]?.entry ?? onlyUnmarked(candidates);
}

/** An index need not say for which platform its only image is. */
function onlyUnmarked(images: readonly IndexEntry[]): IndexEntry | undefined {
  const [only] = images;
  const unmarked = only !== undefined && (only.platform?.architecture ?? '') === '';
  return images.length === 1 && unmarked ? only : undefined;
}

function isAttachment({ platform, annotations }: IndexEntry): boolean {
  return platform?.os === 'unknown' || annotations?.['vnd.docker.reference.type'] !== undefined;
}

/** 0 is best, below 0 does not run here. */
function rankOf({ platform }: IndexEntry, wanted: Platform): number {
  if (platform?.os !== wanted.os || platform.architecture !== wanted.architecture) return -1;
  const variant = platform.variant ?? '';
  if (variant === '') return 0;
  const place = (BASE_VARIANTS[wanted.architecture] ?? []).indexOf(variant);
  return place < 0 ? -1 : place + 1;
}
