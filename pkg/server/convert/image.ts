// An image as the CRI shows it.

import type { ImageInit } from '../../../api/cri/generated/types.ts';
import type { Image } from '../../image/image.ts';
import { parseId } from '../../runtime/passwd.ts';

export function toImage(image: Image): ImageInit {
  const { id, repoTags, repoDigests, sizeBytes, pinned } = image;
  return {
    id,
    repoTags,
    repoDigests,
    size: BigInt(sizeBytes),
    pinned,
    spec: { image: id },
    ...toUser(image.config.User),
  };
}

/**
 * The image's user as a number or as a name, never both; `user:group` says both, only the first matters. A number
 * beyond all ids is a name that nobody has: as a number it could come out as root's.
 */
function toUser(user: string): Pick<ImageInit, 'uid' | 'username'> {
  const [name = ''] = user.split(':');
  if (name === '') return {};
  const uid = parseId(name);
  return uid === undefined ? { username: name } : { uid: { value: BigInt(uid) } };
}
