// The command line of hack/bench stats.

import { parseArgs } from 'node:util';

export interface StatsBenchOptions {
  readonly peer: 'containerd' | 'none';
  /** Numbers of containers to measure with, rising. */
  readonly containers: readonly number[];
  readonly pods: number;
  readonly rounds: number;
  readonly json: boolean;
}

export const STATS_USAGE = `usage: hack/bench stats [options]

Measures what it costs to ask for the usage of all containers: builds davit, starts it and Debian's containerd on
roots of their own, and lets them take turns. No answer is given twice: more than a second passes between two
questions. Answers are not decoded here.

  --peer none         davit alone
  --containers N,…    with so many containers, rising (20,110,250)
  --pods N            in at most so many pods (110)
  --rounds N          how often each question is asked (20)
  --json              print everything as JSON
`;

/** @throws {TypeError} with a message for people, when it is misused */
export function parseStatsOptions(args: string[]): StatsBenchOptions | 'help' {
  const { values } = parseArgs({
    args,
    options: {
      peer: { type: 'string', default: 'containerd' },
      containers: { type: 'string', default: '20,110,250' },
      pods: { type: 'string', default: '110' },
      rounds: { type: 'string', default: '20' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const { peer, json } = values;
  if (peer !== 'containerd' && peer !== 'none') throw new TypeError(`there is no peer "${peer}"`);
  return {
    peer,
    json,
    containers: values.containers
      .split(',')
      .map((text) => count('--containers', text))
      .sort((a, b) => a - b),
    pods: count('--pods', values.pods),
    rounds: count('--rounds', values.rounds),
  };
}

function count(option: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new TypeError(`${option} wants numbers from 1 on`);
  return value;
}
