// Makes a Command from its description: options are parsed, help is written, clients are connected and
// closed, and whatever fails becomes one line, here and in no subcommand.

import { parseArgs } from 'node:util';
import { CriClient } from '../../api/cri/client.ts';
import { DavitClient } from '../../api/davit/client.ts';
import type { Command, Completes, Io } from './command.ts';
import { explain, UsageError } from './explain.ts';
import { helpText } from './help.ts';
import type { Described, Option, Options } from './option.ts';

type Values<O extends Options> = {
  readonly [K in keyof O]?: O[K] extends { type: 'boolean' }
    ? boolean
    : O[K] extends { multiple: true }
      ? readonly string[]
      : string;
};

/** One use of a subcommand. */
export interface Invocation<O extends Options> {
  readonly io: Io;
  readonly values: Values<O>;
  readonly args: readonly string[];
  readonly json: boolean;
  readonly cri: CriClient;
  readonly davit: DavitClient;
}

export interface Description<O extends Options> extends Described {
  readonly options: O;
  readonly completes?: Completes;
  /** How many arguments it takes. */
  readonly args: { readonly min: number; readonly max: number };
  /** From this argument on, all is left as it is, options too: the command line of a program. */
  readonly rest?: number;
  readonly run: (invocation: Invocation<O>) => Promise<number>;
}

const COMMON = {
  socket: { type: 'string', value: 'PATH', about: 'the socket of the runtime (DAVIT_SOCKET)' },
  json: { type: 'boolean', about: 'print JSON, for machines' },
  help: { type: 'boolean', short: 'h', about: 'show this' },
} as const satisfies Options;

export const DEFAULT_SOCKET = '/run/davit/davit.sock';

export function define<const O extends Options>(description: Description<O>): Command {
  const options: Options = { ...description.options, ...COMMON };
  const usage = helpText(description, options);
  return {
    name: description.name,
    summary: description.summary,
    usage,
    flags: Object.keys(options).map((name) => `--${name}`),
    completes: description.completes ?? 'nothing',
    run: (args, io) => runDescribed(description, { options, usage }, args, io),
  };
}

async function runDescribed<const O extends Options>(
  description: Description<O>,
  { options, usage }: { options: Options; usage: string },
  args: readonly string[],
  io: Io,
): Promise<number> {
  let socketPath = io.env['DAVIT_SOCKET'] ?? DEFAULT_SOCKET;
  try {
    const { values, positionals } = parse(args, options, description.rest);
    if (values['help'] === true) {
      io.out(usage);
      return 0;
    }
    if (typeof values['socket'] === 'string') socketPath = values['socket'];
    expectCount(description, positionals);
    using cri = new CriClient(socketPath);
    using davit = new DavitClient(socketPath);
    return await description.run({
      io,
      values: values as Values<O>, // parsed by these very options
      args: positionals,
      json: values['json'] === true,
      cri,
      davit,
    });
  } catch (thrown) {
    if (io.signal.aborted) return 130;
    io.err(`davitctl ${description.name}: ${await explain(thrown, socketPath)}`);
    if (!(thrown instanceof UsageError)) return 1;
    io.err(`usage: davitctl ${description.name} ${description.synopsis} (more with --help)`);
    return 2;
  }
}

/** @throws {UsageError} an option that is not there, or lacks its value */
function parse(
  args: readonly string[],
  options: Options,
  rest: number | undefined,
): { values: Readonly<Record<string, unknown>>; positionals: string[] } {
  const end = rest === undefined ? args.length : indexOfArgument(args, options, rest);
  const config = Object.fromEntries(
    Object.entries(options).map(([name, { type, short, multiple }]) => [
      name,
      { type, multiple: multiple ?? false, ...(short === undefined ? {} : { short }) },
    ]),
  );
  try {
    const parsed = parseArgs({ args: args.slice(0, end), options: config, allowPositionals: true });
    return { values: parsed.values, positionals: [...parsed.positionals, ...args.slice(end)] };
  } catch (thrown) {
    throw new UsageError(thrown instanceof Error ? lowerFirst(thrown.message) : String(thrown));
  }
}

/** Where argument number `count` is, not counting options and their values. */
function indexOfArgument(args: readonly string[], options: Options, count: number): number {
  let seen = 0;
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? '';
    if (arg === '--') return index + 1 + count - seen;
    if (arg.startsWith('-') && arg !== '-') {
      if (takesNext(arg, options)) index++;
    } else if (seen++ === count) return index;
  }
  return args.length;
}

function takesNext(arg: string, options: Options): boolean {
  if (arg.includes('=')) return false;
  if (arg.startsWith('--')) return options[arg.slice(2)]?.type === 'string';
  const byLetter = (letter: string): Option | undefined =>
    Object.values(options).find((option) => option.short === letter);
  // `-e A=1` takes the next one, `-eA=1` has it within
  const first = Array.from(arg.slice(1)).findIndex((letter) => byLetter(letter)?.type !== 'boolean');
  return first === arg.length - 2 && byLetter(arg.slice(-1))?.type === 'string';
}

function expectCount(
  { args: { min, max } }: { args: { min: number; max: number } },
  positionals: readonly string[],
): void {
  if (positionals.length < min) throw new UsageError('an argument is missing');
  if (positionals.length > max) throw new UsageError(`unexpected argument "${positionals[max] ?? ''}"`);
}

function lowerFirst(text: string): string {
  const [sentence = ''] = text.replace(/\.$/, '').split('. '); // the second one is about `--`
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}
