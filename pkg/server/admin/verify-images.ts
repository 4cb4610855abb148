// VerifyImages: whether the layers on disk are what was unpacked. Not part of the CRI; for davitctl.

import type { AdminHandlers } from '../../../api/davit/generated/services.ts';
import type { VerifiedLayerInit } from '../../../api/davit/generated/types.ts';
import type { Call } from '../../base/call.ts';
import type { VerifiedLayer } from '../../image/image-verification.ts';
import type { ServerDeps } from '../deps.ts';

export function verifyImages({ images }: Pick<ServerDeps, 'images'>): AdminHandlers<Call>['verifyImages'] {
  return async function* (call, { images: names, repair }) {
    for await (const layer of images.verification.verify(call, { names, repair })) yield toMessage(layer);
  };
}

function toMessage({ chainId, images, health, findings, failure }: VerifiedLayer): VerifiedLayerInit {
  return {
    chainId,
    images: images.map(({ id, repoTags, repoDigests }) => repoTags[0] ?? repoDigests[0] ?? id),
    health,
    files: BigInt(findings.files),
    bytes: BigInt(findings.bytes),
    problemCount: BigInt(findings.problemCount),
    problems: findings.problems.map(({ path, what }) => ({ path: toText(path), what })),
    failure,
  };
}

/** A path has a character for each byte; as text it is UTF-8, as far as it is that. */
function toText(path: string): string {
  return Buffer.from(path, 'latin1').toString();
}
