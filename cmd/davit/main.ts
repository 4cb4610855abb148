// davit: the daemon. Reads its flags, and runs or answers about the configuration.

import { parseArgs } from 'node:util';
import { configSchema, type Config } from '../../pkg/config/config.ts';
import { defaultConfigText } from '../../pkg/config/default-text.ts';
import { loadConfig } from '../../pkg/config/load.ts';
import { Fault } from '../../pkg/base/fault.ts';
import { readTextIfExists } from '../../pkg/sys/files.ts';
import { serve } from './serve.ts';
import { VERSION } from './version.ts';

const DEFAULT_CONFIG_FILE = '/etc/davit/davit.toml';

const USAGE = `davit: a container manager for Kubernetes nodes

  davit [--config FILE]          run the daemon (without FILE: ${DEFAULT_CONFIG_FILE}, if it is there)
  davit config default           print the default configuration, with comments
  davit config check [FILE]      say everything that is wrong with a configuration, and the files it names
  davit --version

Options are explained in the output of "davit config default". Files in FILE.d/ that end in .toml are
read after FILE, in the order of their names; what they say wins.`;

/** @returns the exit status: 0 done, 1 failed, 2 misused */
async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      config: { type: 'string', short: 'c' },
      help: { type: 'boolean', short: 'h' },
      version: { type: 'boolean', short: 'v' },
    },
  });
  if (values.help === true) return say(USAGE);
  if (values.version === true) return say(`davit ${VERSION}`);
  const [command, verb, file] = positionals;
  if (command === undefined) {
    await serve(await configOf(values.config));
    return 0;
  }
  if (command === 'config' && verb === 'default') return say(defaultConfigText());
  if (command === 'config' && verb === 'check') {
    return await check(await configOf(file ?? values.config));
  }
  complain(`davit: unknown command "${positionals.join(' ')}"; see davit --help`);
  return 2;
}

async function check(config: Config): Promise<number> {
  const { mistakesInFiles } = await import('./named-files.ts'); // the daemon does without
  const mistakes = await mistakesInFiles(config);
  if (mistakes.length === 0) return say('the configuration is good');
  complain(`davit: files that the configuration names have mistakes:\n  ${mistakes.join('\n  ')}`);
  return 1;
}

/** @param file as given by hand: then it must be there */
async function configOf(file: string | undefined): Promise<Config> {
  if (file !== undefined) return await loadConfig(file);
  const isThere = (await readTextIfExists(DEFAULT_CONFIG_FILE)) !== undefined;
  return isThere ? await loadConfig(DEFAULT_CONFIG_FILE) : configSchema.parse({});
}

function say(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}

function complain(text: string): void {
  process.stderr.write(`${text}\n`);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const isMisuse = error instanceof TypeError && 'code' in error; // parseArgs found an unknown flag
  complain(`davit: ${isMisuse ? error.message : Fault.from(error).message}`);
  process.exitCode = isMisuse ? 2 : 1;
}
