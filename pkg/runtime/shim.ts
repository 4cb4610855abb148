// What keeps a container while the daemon is away: its standard streams, its log, its exit code. conmon is one.

import type { Call } from '../base/call.ts';
import type { ProcessIdentity } from '../sys/process-identity.ts';
import type { RuntimeHandler } from './handlers.ts';

export interface ShimRequest {
  readonly id: string;
  /** The OCI bundle; the shim keeps files of its own in it. */
  readonly bundle: string;
  readonly handler: RuntimeHandler;
  /** Absent or '' for no log. */
  readonly logPath?: string | undefined;
  readonly tty: boolean;
  /** Whether anything can ever be written to the container's standard input. */
  readonly stdin: boolean;
  /** Whether that ends with the first client that has attached. */
  readonly stdinOnce: boolean;
}

export interface ShimProcesses {
  /** The container's first process. */
  readonly process: ProcessIdentity;
  readonly shim: ProcessIdentity;
}

/** How to find the shim of a container that exists. */
export interface ShimLocation {
  readonly id: string;
  readonly bundle: string;
  readonly shim: ProcessIdentity;
}

export interface Shim {
  /**
   * Creates what the bundle describes, not yet started, behind a shim that outlives the daemon.
   *
   * @throws {Fault} invalid_argument — the command cannot be run; internal — the runtime refused otherwise;
   * unavailable — the shim cannot be started; and the reason of `call.signal`: what exists then is for the
   * caller to delete
   */
  create(call: Call, request: ShimRequest): Promise<ShimProcesses>;

  /**
   * Goes on with a new log file at `logPath`, the old one having been renamed. If it is still in place nothing
   * happens.
   *
   * @throws {Fault} failed_precondition — the shim is gone, or the directory of the log
   */
  reopenLog(call: Call, location: ShimLocation, logPath: string): Promise<void>;

  /** Tells the container's terminal its size. @throws {Fault} failed_precondition — the shim is gone */
  resize(
    call: Call,
    location: ShimLocation,
    size: { readonly rows: number; readonly columns: number },
  ): Promise<void>;
}
