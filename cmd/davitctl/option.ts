// What is told of a subcommand and of its options.

export interface Option {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  readonly multiple?: boolean;
  /** What the help calls the value: `DURATION`. */
  readonly value?: string;
  readonly about: string;
}

export type Options = Readonly<Record<string, Option>>;

export interface Described {
  readonly name: string;
  readonly summary: string;
  /** After the name: `[OPTIONS] CONTAINER COMMAND [ARG...]`. */
  readonly synopsis: string;
  readonly about?: string;
  /** A command line and what it does. */
  readonly examples: readonly (readonly [string, string])[];
}
