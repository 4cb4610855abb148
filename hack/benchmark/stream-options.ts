// The command line of hack/bench stream.

import { parseArgs } from 'node:util';

export interface StreamBenchOptions {
  readonly peer: 'containerd' | 'none';
  readonly rounds: number;
  readonly mebibytes: number;
  readonly execs: number;
  readonly minutes: number;
  readonly width: number;
  readonly handler: string;
  readonly json: boolean;
}

export const STREAM_USAGE = `usage: hack/bench stream [options]

Measures exec and port-forward over SPDY, of a davit built and started for it, in turns with Debian's containerd.

  --peer none         davit alone
  --rounds N          how often each throughput is measured (5)
  --mebibytes N       how much goes through each time (512)
  --execs N           how many times "true" is run, one after the other (50)
  --minutes N         then execs without a pause for so long, with memory, descriptors and processes (0: none)
  --width N           how many of those at the same time (4)
  --handler NAME      runtime handler (the default one)
  --json              print everything as JSON
`;

/** @throws {TypeError} with a message for people, when it is misused */
export function parseStreamOptions(args: string[]): StreamBenchOptions | 'help' {
  const { values } = parseArgs({
    args,
    options: {
      peer: { type: 'string', default: 'containerd' },
      rounds: { type: 'string', default: '5' },
      mebibytes: { type: 'string', default: '512' },
      execs: { type: 'string', default: '50' },
      minutes: { type: 'string', default: '0' },
      width: { type: 'string', default: '4' },
      handler: { type: 'string', default: '' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const { peer, handler, json } = values;
  if (peer !== 'containerd' && peer !== 'none') throw new TypeError(`there is no peer "${peer}"`);
  const number = (option: 'rounds' | 'mebibytes' | 'execs' | 'minutes' | 'width', min: number): number => {
    const value = Number(values[option]);
    if (Number.isFinite(value) && value >= min) return value;
    throw new TypeError(`--${option} wants a number from ${min} on`);
  };
  return {
    ...{ peer, handler, json },
    rounds: number('rounds', 0),
    mebibytes: number('mebibytes', 1),
    execs: number('execs', 0),
    minutes: number('minutes', 0),
    width: number('width', 1),
  };
}
