// Claims what its argument says, makes all of it, says so, and waits to be killed.

import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { Cgroups } from '../cgroup.ts';
import { mountTmpfs } from '../mount.ts';
import type { Belongings } from './belongings.ts';
import { claim } from './claim.ts';

const { belongings, claims } = JSON.parse(process.argv[2] ?? '') as {
  belongings: Belongings;
  claims: string;
};
claim(belongings, claims);
for (const dir of belongings.dirs) {
  mkdirSync(dir);
  mountTmpfs(dir, { mode: 0o700 });
  spawn('/bin/sleep', ['1000'], { env: { OF: dir }, detached: true });
}
await (await Cgroups.detect()).create(`${belongings.cgroup}/pod`);
process.stdout.write('made\n');
setInterval(() => undefined, 1000);
