// What the streaming server needs of the rest of the daemon, and what it is asked to stream.

import type { Duplex, Readable, Writable } from 'node:stream';
import type { Call } from '../base/call.ts';
import type { ContainerId, SandboxId } from '../base/id.ts';

/** The standard streams that a client wants. */
export interface WantedStreams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** On a terminal there is no `stderr`, and there is a size. */
  readonly tty: boolean;
}

export interface ExecTarget extends WantedStreams {
  readonly kind: 'exec';
  readonly id: ContainerId;
  readonly args: readonly string[];
}

export interface AttachTarget extends WantedStreams {
  readonly kind: 'attach';
  readonly id: ContainerId;
}

export interface PortForwardTarget {
  readonly kind: 'portforward';
  readonly id: SandboxId;
  /** Those of the request; only the oldest clients do not name them again. */
  readonly ports: readonly number[];
}

/** What a URL stands for. */
export type StreamTarget = ExecTarget | AttachTarget | PortForwardTarget;

export interface Size {
  readonly rows: number;
  readonly columns: number;
}

/** A command that runs. Disposing it ends the command with all that it started, if it runs still. */
export interface Execution extends AsyncDisposable {
  readonly stdin: Writable | undefined;
  readonly stdout: Readable | undefined;
  readonly stderr: Readable | undefined;
  /** The exit code; the streams may have more to say then. */
  ended(): Promise<number>;
  resize(size: Size): void;
}

/** Output of a container as it comes. It cannot be held back: the container's log waits for it. */
export type OnOutput = (name: 'stdout' | 'stderr', chunk: Buffer) => void;

/** A connection to a container that runs. Disposing it ends that, and not the container. */
export interface Attachment extends AsyncDisposable {
  readonly stdin: Writable;
  /** When the container ends, or the connection is lost. It never rejects. */
  readonly ended: Promise<void>;
  resize(size: Size): Promise<void>;
}

export interface StreamBackend {
  /** @throws {Fault} `detail.exitCode`, if there is one, is what a shell would have said */
  exec(call: Call, target: ExecTarget): Promise<Execution>;
  attach(call: Call, target: AttachTarget, onOutput: OnOutput): Promise<Attachment>;
  /** Connects to a port of the pod's loopback interface. @throws {Fault} saying why not, for the client */
  connect(call: Call, id: SandboxId, port: number): Promise<Duplex>;
}
