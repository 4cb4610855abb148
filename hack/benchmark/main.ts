// hack/bench: the command line.

import { benchPods } from './pods.ts';
import { benchPull } from './pull.ts';
import { benchSoak } from './soak.ts';
import { benchStats } from './stats.ts';
import { benchStream } from './stream.ts';

const BENCHES: Readonly<Record<string, (args: string[]) => Promise<number>>> = {
  pull: benchPull,
  soak: benchSoak,
  stats: benchStats,
  stream: benchStream,
};

const [name = '', ...rest] = process.argv.slice(2);
const bench = BENCHES[name];
process.exitCode = bench === undefined ? await benchPods(process.argv.slice(2)) : await bench(rest);
