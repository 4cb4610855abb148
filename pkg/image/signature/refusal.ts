// The one form in which it is said that the policy does not let something in.

import { Fault } from '../../base/fault.ts';

/**
 * The kubelet knows it by how it begins. Source: the errors of the CRI, `ErrSignatureValidationFailed`.
 *
 * @param what `image "docker.io/library/busybox:latest"`
 */
export function signatureRefusal(what: string, why: string): Fault {
  return new Fault('failed_precondition', `SignatureValidationFailed: cannot use ${what}: ${why}`);
}
