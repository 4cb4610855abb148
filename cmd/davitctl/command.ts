// What a subcommand is: text in, text out, an exit status. No process globals, so it can be tested.

export interface Io {
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
  /** Bytes as they are; settles when they have left, so that a slow reader is waited for. */
  readonly write: (bytes: Uint8Array, to: 'out' | 'err') => Promise<void>;
  /** All of standard input. */
  readonly readInput: () => Promise<string>;
  /** Absent when the output goes to no terminal. */
  readonly terminal?: { readonly columns: number } | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What relative paths are relative to. */
  readonly cwd: string;
  /** Aborts when the user wants it to end. */
  readonly signal: AbortSignal;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly usage: string;
  /** Every option it takes, for completion: `--json`. */
  readonly flags: readonly string[];
  /** What its arguments name, for completion. */
  readonly completes: Completes;
  /** @returns the exit status: 0 done, 1 failed, 2 misused; of exec and run --rm, that of the program */
  run(args: readonly string[], io: Io): Promise<number>;
}

export type Completes = 'nothing' | 'files' | 'pods' | 'containers' | 'images';
