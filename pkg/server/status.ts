// The one place that knows both our fault codes and gRPC's.

import { Metadata, status, type ServiceError, type StatusObject } from '@grpc/grpc-js';
import { Fault, type FaultCode } from '../base/fault.ts';

const STATUS: Readonly<Record<FaultCode, status>> = {
  cancelled: status.CANCELLED,
  invalid_argument: status.INVALID_ARGUMENT,
  deadline_exceeded: status.DEADLINE_EXCEEDED,
  not_found: status.NOT_FOUND,
  already_exists: status.ALREADY_EXISTS,
  resource_exhausted: status.RESOURCE_EXHAUSTED,
  failed_precondition: status.FAILED_PRECONDITION,
  aborted: status.ABORTED,
  unimplemented: status.UNIMPLEMENTED,
  internal: status.INTERNAL,
  unavailable: status.UNAVAILABLE,
  data_loss: status.DATA_LOSS,
};

/** A status travels in a header, where clients bound the size: 2,000 characters are 18,000 bytes at most. */
const MAX_MESSAGE_LENGTH = 2000;

/** Deep enough for every chain of ours; a chain that bites its own tail ends here. */
const MAX_CAUSES = 8;

/**
 * The kubelet knows these by how the message begins, and looks at it only if the code is UNKNOWN.
 * Source: kubelet, `remoteImageService.PullImage()` and `evalCRIPullErr()`.
 */
const NAMED_FOR_KUBELET = /^(?:RegistryUnavailable|SignatureValidationFailed): /;

export function toStatus(fault: Fault): Partial<ServiceError> & StatusObject {
  const isNamed = NAMED_FOR_KUBELET.test(fault.message);
  const code = isNamed ? status.UNKNOWN : STATUS[fault.code];
  return { code, details: messageOf(fault), metadata: new Metadata() };
}

/**
 * The message of a fault with those of its causes, since the kubelet shows this text and nothing else:
 * `cannot run sandbox "web": plugin "bridge" failed: no more addresses`.
 *
 * Of causes that are not ours only the system's errors are told; the text of others is for the log alone.
 */
export function messageOf(fault: Fault): string {
  const parts = [fault.message];
  let cause: unknown = fault.cause;
  for (let depth = 0; depth < MAX_CAUSES && cause instanceof Error && isForCallers(cause); depth++) {
    if (!parts.some((part) => part.includes((cause as Error).message))) parts.push(cause.message);
    cause = cause.cause;
  }
  const text = parts.join(': ').toWellFormed(); // grpc-js throws on text that is not
  return text.length <= MAX_MESSAGE_LENGTH ? text : `${text.slice(0, MAX_MESSAGE_LENGTH).toWellFormed()}…`;
}

function isForCallers(cause: Error): boolean {
  return cause instanceof Fault || ('errno' in cause && 'syscall' in cause);
}
