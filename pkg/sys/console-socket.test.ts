import { readlinkSync } from 'node:fs';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { testCall } from '../base/testing/call.ts';
import { ConsoleSocket } from './console-socket.ts';
import { spawn } from './spawn.ts';
import { Terminal } from './terminal.ts';
import { tempDir } from './testing/temp-dir.ts';

const sendsItsTerminal = (path: string) => `
import socket, array, os
s = socket.socket(socket.AF_UNIX)
s.connect("${path}")
master, slave = os.openpty()
s.sendmsg([b"console"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [master]))])
os.write(slave, b"hello")
os.read(0, 1)
`;

test('ConsoleSocket.receive() hands over a terminal, which can be read and written', async () => {
  using dir = tempDir();
  await using listening = ConsoleSocket.listen(dir.join('console.sock'));
  const child = spawn({
    file: '/usr/bin/python3',
    args: ['-c', sendsItsTerminal(listening.path)],
    stdin: 'pipe',
  });
  const fd = await listening.receive(testCall);
  expect(readlinkSync(`/proc/self/fd/${fd}`)).toBe('/dev/ptmx');
  const terminal = new Terminal(fd);
  const [output] = (await once(terminal, 'data')) as [Buffer];
  expect(output.toString()).toBe('hello');
  child.stdin?.end('x');
  await Promise.all([child.exited, once(terminal, 'end')]);
  terminal.destroy();
});

test('ConsoleSocket.receive() gives up when the caller does', async () => {
  using dir = tempDir();
  await using listening = ConsoleSocket.listen(dir.join('console.sock'));
  const call = { signal: AbortSignal.timeout(20) };
  await expect(listening.receive(call)).rejects.toMatchObject({ name: 'TimeoutError' });
});
