// Which images the kubelet is to keep whatever happens: those whose name an operator has written down.

import type { Image } from './image.ts';
import { parseReference } from './reference.ts';

type Names = Pick<Image, 'repoTags' | 'repoDigests'>;

/**
 * @param patterns names as one would pull them, or with `*` for any characters: `registry.k8s.io/pause:*`. With a
 *   `*`, Docker's names may be short: `busybox:*`
 * @throws {Fault} invalid_argument — one is neither
 */
export function pinMatcher(patterns: readonly string[]): (image: Names) => boolean {
  const matchers = patterns.map(toMatcher);
  return ({ repoTags, repoDigests }) =>
    [...repoTags, ...repoDigests].some((name) => matchers.some((matches) => matches(name)));
}

function toMatcher(pattern: string): (name: string) => boolean {
  if (!pattern.includes('*')) {
    const wanted = parseReference(pattern).toString();
    return (name) => name === wanted;
  }
  const parts = pattern.split('*').map((part) => part.replaceAll(/[\\^$.|?+()[\]{}]/g, String.raw`\$&`));
  const expression = new RegExp(`^${parts.join('.*')}$`);
  return (name) => formsOf(name).some((form) => expression.test(form));
}

function formsOf(name: string): string[] {
  return [name, name.replace(/^docker\.io\//, ''), name.replace(/^docker\.io\/library\//, '')];
}
