// A process of known hunger, for tests: at a word on its standard input it uses so much processor time and memory,
// holds so many sockets, says so, and stays until its input ends.

import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

interface Hunger {
  readonly cpuMs: number;
  readonly memoryBytes: number;
  readonly sockets: number;
}

const held: unknown[] = [];

for await (const line of createInterface({ input: process.stdin })) {
  const { cpuMs, memoryBytes, sockets } = JSON.parse(line) as Hunger;
  const start = process.cpuUsage();
  held.push(Buffer.alloc(memoryBytes, 'x'));
  for (let count = 0; count < sockets; count += 1) {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    held.push(server);
  }
  for (;;) {
    const { user, system } = process.cpuUsage(start);
    if (user + system >= cpuMs * 1000) break;
  }
  process.stdout.write('done\n');
}
process.exit(held.length);
