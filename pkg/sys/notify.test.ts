import { readFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { notifySystemd } from './notify.ts';
import { spawn } from './spawn.ts';
import { eventually } from './testing/eventually.ts';
import { readText } from './testing/read-text.ts';
import { tempDir } from './testing/temp-dir.ts';

afterEach(() => {
  delete process.env['NOTIFY_SOCKET'];
});

/** Prints the one message that arrives at a datagram socket; a name with `@` is abstract. */
const LISTENER = String.raw`
use Socket;
my $name = shift;
$name =~ s/^@/\0/;
socket(my $socket, AF_UNIX, SOCK_DGRAM, 0) or die $!;
bind($socket, pack_sockaddr_un($name)) or die $!;
recv($socket, my $message, 1000, 0);
print $message;`;

test.each(['path', 'abstract'])(
  'notifySystemd() sends its message to a socket with a name that is %s',
  async (kind) => {
    using dir = tempDir();
    const name = kind === 'path' ? dir.join('notify') : `@${dir.path}`;
    const listener = spawn({ file: '/usr/bin/perl', args: ['-e', LISTENER, name], stdout: 'pipe' });
    await eventually(() => readFileSync('/proc/net/unix', 'utf8').includes(name));
    process.env['NOTIFY_SOCKET'] = name;
    notifySystemd('READY=1\nSTATUS=at your service');
    expect(await readText(listener.stdout)).toBe('READY=1\nSTATUS=at your service');
  },
);

test('notifySystemd() does nothing without systemd', () => {
  expect(() => {
    notifySystemd('READY=1');
  }).not.toThrow();
});

test('notifySystemd() says that nobody listens', () => {
  process.env['NOTIFY_SOCKET'] = '/nonexistent/notify';
  expect(() => {
    notifySystemd('READY=1');
  }).toThrow('ENOENT');
});
