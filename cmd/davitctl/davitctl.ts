// davitctl: finds the subcommand and lets it run.

import type { Command, Io } from './command.ts';
import { completion } from './completion.ts';
import { DEFAULT_SOCKET } from './define.ts';
import { df } from './df.ts';
import { doctor } from './doctor.ts';
import { exec } from './exec.ts';
import { images } from './images.ts';
import { imagesVerify } from './images-verify.ts';
import { info } from './info.ts';
import { inspect } from './inspect.ts';
import { load } from './load.ts';
import { logs } from './logs.ts';
import { ops } from './ops.ts';
import { pods } from './pods.ts';
import { ps } from './ps.ts';
import { pull } from './pull.ts';
import { pulls } from './pulls.ts';
import { rm } from './rm.ts';
import { rmi } from './rmi.ts';
import { rmp } from './rmp.ts';
import { run } from './run.ts';
import { stop } from './stop.ts';
import { table } from './table.ts';
import { timeline } from './timeline.ts';
import { version } from './version.ts';

const WORKING: readonly Command[] = [
  run,
  pods,
  ps,
  exec,
  logs,
  inspect,
  timeline,
  ops,
  stop,
  rm,
  rmp,
  images,
  imagesVerify,
  df,
  doctor,
  pull,
  pulls,
  load,
  rmi,
  info,
  version,
];

export const COMMANDS: readonly Command[] = [...WORKING, completion(WORKING)];

/** @returns the exit status: 0 done, 1 failed, 2 misused; of exec and run --rm, that of the program */
export async function davitctl(args: readonly string[], io: Io): Promise<number> {
  const { leading, name, rest } = split(args);
  if (name === undefined || name === 'help') return await help(rest, args.length > 0, io);
  const command = find(name, rest);
  if (command !== undefined) return await command.run([...leading, ...withoutName(command, rest)], io);
  io.err(`davitctl: there is no command "${name}"; davitctl --help lists them`);
  return 2;
}

/** A name may be of two words: `images verify`. The longer one counts. */
function find(name: string, rest: readonly string[]): Command | undefined {
  const named = (wanted: string) => COMMANDS.find((candidate) => candidate.name === wanted);
  return named(`${name} ${rest[0] ?? ''}`) ?? named(name);
}

function withoutName(command: Command, rest: readonly string[]): readonly string[] {
  return command.name.includes(' ') ? rest.slice(1) : rest;
}

/** Options that every command has may also stand before its name. */
function split(args: readonly string[]): { leading: string[]; name: string | undefined; rest: string[] } {
  let at = 0;
  while (args[at]?.startsWith('-') === true) at += args[at] === '--socket' ? 2 : 1;
  return { leading: args.slice(0, at), name: args[at], rest: args.slice(at + 1) };
}

/** @param asked whether help is what was asked for, rather than what is given for want of a command */
async function help([name = '', ...rest]: readonly string[], asked: boolean, io: Io): Promise<number> {
  const command = find(name, rest);
  if (command !== undefined) return await command.run(['--help'], io);
  const rows = COMMANDS.map(({ name: own, summary }) => [`  ${own}`, summary]);
  io.out(`davitctl looks after the pods, containers and images of a node. It speaks the CRI: to Davit, and to any
other runtime that does.

Usage: davitctl [--socket PATH] COMMAND [OPTIONS] [ARG...]

Commands:
${table(rows).join('\n')}

Begin with these:
  davitctl run --rm busybox echo hello    run a command, see what it says
  davitctl ps                             what runs
  davitctl help run                       what a command can do, with examples

The socket is that of --socket, of the variable DAVIT_SOCKET, or ${DEFAULT_SOCKET}.
Things are named by an id, the beginning of one, or a name.`);
  return asked ? 0 : 2;
}
