// davitctl exec: runs a command in a container and passes its exit status on.

import { define, type Invocation } from './define.ts';
import { UsageError } from './explain.ts';
import { getContainer } from './find.ts';

const OPTIONS = {
  timeout: {
    type: 'string',
    short: 't',
    value: 'SECONDS',
    about: 'kill it after this time; 0, the default, never',
  },
} as const;

export const exec = define({
  name: 'exec',
  summary: 'run a command in a container',
  synopsis: '[OPTIONS] CONTAINER COMMAND [ARG...]',
  about:
    'What the command writes is shown when it has ended, and its exit status is that of davitctl. It has no\n' +
    'standard input and no terminal. There is no shell unless COMMAND is one.',
  options: OPTIONS,
  examples: [
    ['exec web cat /etc/resolv.conf', 'a file of the container'],
    ["exec web sh -c 'echo $HOSTNAME; ip addr'", 'through a shell, for variables, pipes and the like'],
    ['exec -t 5 web wget -qO- http://localhost', 'for no longer than 5 seconds'],
  ],
  completes: 'containers',
  args: { min: 2, max: Infinity },
  rest: 1,
  run: execute,
});

async function execute({ cri, io, values, args }: Invocation<typeof OPTIONS>): Promise<number> {
  const [name = '', ...cmd] = args;
  const timeout = parseSeconds('--timeout', values.timeout ?? '0');
  const { id } = await getContainer(cri, name);
  const answer = await cri.execSync({ containerId: id, cmd, timeout }, { signal: io.signal });
  await io.write(answer.stdout, 'out');
  await io.write(answer.stderr, 'err');
  return answer.exitCode;
}

/** @throws {UsageError} it is no whole number of seconds */
export function parseSeconds(option: string, text: string): bigint {
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`${option} takes whole seconds, not "${text}"`);
  return BigInt(text);
}
