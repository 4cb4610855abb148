import { constants, openSync } from 'node:fs';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { duplexFd } from './duplex-fd.ts';
import { openPty } from './libc/terminal.ts';
import { closeFd } from './pipe.ts';
import { spawn } from './spawn.ts';
import { Terminal } from './terminal.ts';
import { readText } from './testing/read-text.ts';

test('duplexFd() writes to the master of a terminal without ever blocking', async () => {
  const { masterFd } = openPty();
  const terminal = duplexFd(masterFd);
  terminal.write(Buffer.alloc(1024 * 1024, 'x'));
  expect(terminal.writableLength).toBeGreaterThan(0);
  terminal.destroy();
  await once(terminal, 'close');
});

test('Terminal loses nothing of what was written before the other side closes', async () => {
  const { masterFd, slavePath } = openPty();
  const script = 'stty raw; head -c 300000 /dev/zero';
  const slave = openSync(slavePath, constants.O_RDWR | constants.O_NOCTTY);
  const child = spawn({ file: '/bin/sh', args: ['-c', script], stdin: slave, stdout: slave });
  closeFd(slave);
  const terminal = new Terminal(masterFd);
  let bytes = 0;
  for await (const chunk of terminal as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    await delay(1);
  }
  await child.exited;
  expect(bytes).toBe(300_000);
});

test('Terminal.resize() is seen by the programs on it', async () => {
  const { masterFd, slavePath } = openPty();
  const terminal = new Terminal(masterFd);
  const slave = openSync(slavePath, constants.O_RDWR | constants.O_NOCTTY);
  terminal.resize({ rows: 33, columns: 101 });
  const child = spawn({ file: '/usr/bin/stty', args: ['size'], stdin: slave, stdout: 'pipe' });
  closeFd(slave);
  expect(await readText(child.stdout)).toBe('33 101');
  terminal.destroy();
});
