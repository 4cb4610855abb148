// PullImage: brings an image onto the node. The answer is its id, by which it is known everywhere.

import type { ImageServiceHandlers } from '../../../api/cri/generated/services.ts';
import type { Call } from '../../base/call.ts';
import { stage } from '../../base/timeline.ts';
import type { Pods } from '../../pod/pods.ts';
import type { ServerDeps } from '../deps.ts';
import { required } from '../convert/field.ts';

export function pullImage(
  deps: Pick<ServerDeps, 'images'> & { readonly pods: Pick<Pods, 'pullingFor'> },
): ImageServiceHandlers<Call>['pullImage'] {
  return async (call, { image: spec, auth, sandboxConfig }) => {
    const reference = required(required(spec, 'image').image, 'image.image');
    const isUrgent = isOfStaticPod(sandboxConfig?.annotations ?? {});
    const pod = sandboxConfig?.metadata;
    const pulling = pod === undefined ? call : deps.pods.pullingFor(call, pod, reference);
    using _stage = stage(pulling, `pull ${reference}`);
    const image = await deps.images.pull(pulling, { reference, auth, isUrgent });
    return { imageRef: image.id };
  };
}

/**
 * Static pods are those that the node itself needs. The kubelet does not tell the priority of others.
 *
 * Source: the kubelet sets the annotation on every pod, whoever made it, and calls static what is not of the API.
 */
function isOfStaticPod(annotations: Readonly<Record<string, string>>): boolean {
  const source = annotations['kubernetes.io/config.source'] ?? '';
  return source !== '' && source !== 'api';
}
