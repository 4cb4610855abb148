import { closeSync, openSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { setInterfaceUp } from './interface.ts';
import { CLONE_NEWNET, setns, unshare } from './namespace.ts';
import { AF_INET, SOCK_DGRAM, socket } from './socket.ts';

test('setInterfaceUp() brings the loopback interface of a new namespace up', () => {
  const ours = openSync('/proc/thread-self/ns/net', 'r');
  unshare(CLONE_NEWNET);
  const fd = socket(AF_INET, SOCK_DGRAM);
  const before = readFileSync('/proc/thread-self/net/if_inet6', 'utf8');
  setInterfaceUp(fd, 'lo');
  const after = readFileSync('/proc/thread-self/net/if_inet6', 'utf8');
  closeSync(fd);
  setns(ours, CLONE_NEWNET);
  closeSync(ours);
  expect([before, after.trim().endsWith('lo')]).toEqual(['', true]);
});
