import { expect, test } from 'vitest';
import { decodePullImageRequest, encodePullImageRequest } from '../../../api/cri/generated/codecs.ts';
import type { Call } from '../../base/call.ts';
import { testCall } from '../../base/testing/call.ts';
import type { Images, PullRequest } from '../../image/images.ts';
import { pullImage } from './pull-image.ts';

async function urgencyOf(annotations: Record<string, string> | undefined): Promise<boolean | undefined> {
  const asked: PullRequest[] = [];
  const images: Pick<Images, 'pull'> = {
    pull: (_, request) => {
      asked.push(request);
      return Promise.resolve({ id: 'sha256:0' } as Awaited<ReturnType<Images['pull']>>);
    },
  };
  const sandboxConfig = annotations === undefined ? undefined : { annotations };
  const request = encodePullImageRequest({ image: { image: 'busybox' }, sandboxConfig });
  const pods = { pullingFor: (call: Call) => call };
  await pullImage({ images: images as Images, pods })(testCall, decodePullImageRequest(request));
  return asked[0]?.isUrgent;
}

test.each([
  ['a static pod', { 'kubernetes.io/config.source': 'file' }, true],
  ['a pod of the API', { 'kubernetes.io/config.source': 'api' }, false],
  ['a pod that does not say', {}, false],
  ['no pod', undefined, false],
])('what %s needs: urgent is %o', async (_, annotations, isUrgent) => {
  expect(await urgencyOf(annotations)).toBe(isUrgent);
});
