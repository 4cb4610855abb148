// How a stream ended, as Kubernetes' clients are told: a Status object in JSON.
// Source: Kubernetes, meta/v1 Status; remotecommand, protocol v4.

import type { Fault } from '../base/fault.ts';

export interface Status {
  readonly metadata: Record<string, never>;
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: 'NonZeroExitCode' | 'InternalError';
  readonly details?: {
    readonly causes: readonly { readonly reason?: 'ExitCode'; readonly message: string }[];
  };
  readonly code?: number;
}

export const SUCCESS: Status = { metadata: {}, status: 'Success' };

/** @param exitCode 0 to 255 */
export function exitStatus(exitCode: number): Status {
  if (exitCode === 0) return SUCCESS;
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: exit status ${exitCode}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
  };
}

export function faultStatus({ message }: Fault): Status {
  return {
    metadata: {},
    status: 'Failure',
    message: `Internal error occurred: ${message}`,
    reason: 'InternalError',
    details: { causes: [{ message }] },
    code: 500,
  };
}

/**
 * The bytes for the error stream: JSON from version 4 on, before that the message alone, and nothing for success.
 *
 * @param version of the subprotocol
 */
export function encodeStatus(status: Status, version: number): Buffer {
  if (version >= 4) return Buffer.from(JSON.stringify(status));
  return Buffer.from(status.status === 'Success' ? '' : (status.message ?? ''));
}
