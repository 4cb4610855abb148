// The command line of hack/bench pull.

import { parseArgs } from 'node:util';

export interface PullOptions {
  readonly peer: 'containerd' | 'none';
  /** Each round is one cold pull and one with a shared base, with each runtime. */
  readonly rounds: number;
  readonly megabytes: number;
  readonly files: number;
  /** Images are kept in memory: no disk in the figures. */
  readonly tmpfs: boolean;
  readonly json: boolean;
}

export const PULL_USAGE = `usage: hack/bench pull [options]

Measures pulls from a docker-registry on loopback: builds davit, starts it and Debian's containerd on roots of
their own, and lets them take turns. An image of 4 layers is pulled cold; then another that shares 3 of them.

  --peer none         davit alone
  --rounds N          how often (3)
  --megabytes N       size of the image, unpacked (500)
  --files N           files in it (20000)
  --tmpfs             images are kept in memory rather than on disk
  --json              print everything as JSON
`;

/** @throws {TypeError} with a message for people, when it is misused */
export function parsePullOptions(args: string[]): PullOptions | 'help' {
  const { values } = parseArgs({
    args,
    options: {
      peer: { type: 'string', default: 'containerd' },
      rounds: { type: 'string', default: '3' },
      megabytes: { type: 'string', default: '500' },
      files: { type: 'string', default: '20000' },
      tmpfs: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const { peer, tmpfs, json } = values;
  if (peer !== 'containerd' && peer !== 'none') throw new TypeError(`there is no peer "${peer}"`);
  return {
    peer,
    tmpfs,
    json,
    rounds: count('--rounds', values.rounds),
    megabytes: count('--megabytes', values.megabytes),
    files: count('--files', values.files),
  };
}

function count(option: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new TypeError(`${option} wants a number from 1 on`);
  return value;
}
