// The command line of hack/bench soak.

import { parseArgs } from 'node:util';

export interface SoakOptions {
  readonly pods: number;
  readonly minutes: number;
  /** How often each container is probed. */
  readonly probeSeconds: number;
  /** Probes at the same time. */
  readonly width: number;
  /** How often a pod is replaced by another; 0: never. */
  readonly churnSeconds: number;
  readonly handler: string;
  readonly json: boolean;
}

export const SOAK_USAGE = `usage: hack/bench soak [options]

Holds pods as a kubelet does and looks for what grows: an exec in each of them every second, lists every second, stats
and images every ten, and one pod after the other replaced. Builds davit and starts it on roots of its own. A machine
that cannot take that many execs gets as many as it can: how many is told. The exit status is 1 when a call failed
or something was left over.

  --pods N            pods with one container each (250)
  --minutes N         for how long (30)
  --probe-seconds N   how often each container is probed (1)
  --width N           how many probes at the same time, at most (16)
  --churn-seconds N   how often a pod is replaced (5; 0: never)
  --handler NAME      runtime handler (the default one)
  --json              print everything as JSON
`;

/** @throws {TypeError} with a message for people, when it is misused */
export function parseSoakOptions(args: string[]): SoakOptions | 'help' {
  const { values } = parseArgs({
    args,
    options: {
      pods: { type: 'string', default: '250' },
      minutes: { type: 'string', default: '30' },
      'probe-seconds': { type: 'string', default: '1' },
      width: { type: 'string', default: '16' },
      'churn-seconds': { type: 'string', default: '5' },
      handler: { type: 'string', default: '' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const number = (
    option: 'pods' | 'minutes' | 'probe-seconds' | 'width' | 'churn-seconds',
    min: number,
  ): number => {
    const value = Number(values[option]);
    if (Number.isFinite(value) && value >= min) return value;
    throw new TypeError(`--${option} wants a number from ${min} on`);
  };
  return {
    pods: number('pods', 1),
    minutes: number('minutes', 0.1),
    probeSeconds: number('probe-seconds', 0.1),
    width: number('width', 1),
    churnSeconds: number('churn-seconds', 0),
    handler: values.handler,
    json: values.json,
  };
}
