import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { configSchema } from './config.ts';
import { defaultConfigText } from './default-text.ts';
import { loadConfig, parseConfig } from './load.ts';

test('an empty file gives the defaults', () => {
  expect(parseConfig([{ file: 'a.toml', text: '' }])).toEqual(configSchema.parse({}));
});

test('the default text says what holds without it', () => {
  const text = defaultConfigText();
  expect(parseConfig([{ file: 'default', text }])).toEqual(configSchema.parse({}));
  expect(text).not.toMatch(/^# $/m); // every option says what it means
});

test('every mistake is named at once, with file and line', () => {
  const text = 'socket = "relative.sock"\n[cni]\nconf_dri = "/etc/cni"\n[runtime.handlers.Kata]\npath = 7\n';
  expect(() => parseConfig([{ file: '/etc/davit/davit.toml', text }])).toThrowErrorMatchingInlineSnapshot(`
    [Fault: cannot use the configuration:
      /etc/davit/davit.toml:1: socket: must be an absolute path
      /etc/davit/davit.toml:3: cni.conf_dri: is not a known option
      /etc/davit/davit.toml:4: runtime.handlers.Kata: must be lower-case letters, digits and dashes]
  `);
});

test('a text that is no TOML is refused with its line', () => {
  expect(() => parseConfig([{ file: '/etc/x.toml', text: 'a = 1\nb = = 2\n' }])).toThrow('/etc/x.toml:2');
});

test.each([
  ['[runtime.handlers]\nrunc = { path = "runc" }', 'runtime.handlers.runc.path'],
  ['[runtime]\nmonitor = "conmon"', 'runtime.monitor'],
  ['[runtime]\ninit = "./catatonit"', 'runtime.init'],
])('a program is named by its absolute path, never looked for: %s', (text, option) => {
  expect(() => parseConfig([{ file: 'a.toml', text }])).toThrow(option);
});

test('a default handler that does not exist is refused', () => {
  const text = '[runtime]\ndefault_handler = "kata"\n';
  expect(() => parseConfig([{ file: 'a', text }])).toThrow('there is no handler "kata"');
});

test('drop-ins are read in the order of their names, later ones winning', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'davit-config-'));
  try {
    const file = join(dir, 'davit.toml');
    await writeFile(file, 'root = "/a"\n[cni]\ntimeout_seconds = 5\n');
    await mkdir(`${file}.d`);
    await writeFile(join(`${file}.d`, '20-b.toml'), 'root = "/c"\n');
    await writeFile(join(`${file}.d`, '10-a.toml'), 'root = "/b"\n[cni]\nconf_dir = "/n"\n');
    await writeFile(join(`${file}.d`, 'note.txt'), 'not a drop-in');
    const { root, cni } = await loadConfig(file);
    expect({ root, cni }).toMatchObject({ root: '/c', cni: { timeout_seconds: 5, conf_dir: '/n' } });
  } finally {
    await rm(dir, { recursive: true });
  }
});

test.each(['', '/run/davit/metrics.sock', '127.0.0.1:9102', '[::1]:9102'])(
  'metrics may be told on "%s"',
  (address) => {
    expect(configSchema.parse({ metrics: { address } }).metrics.address).toBe(address);
  },
);

test.each(['0.0.0.0:9102', '[::]:9102', '10.0.0.1:9102'])('metrics on "%s" need TLS', (address) => {
  expect(() => configSchema.parse({ metrics: { address } })).toThrow('must be on loopback');
  const tls = { tls_cert: '/etc/davit/metrics.crt', tls_key: '/etc/davit/metrics.key' };
  expect(configSchema.parse({ metrics: { address, ...tls } }).metrics.address).toBe(address);
});

test.each(['metrics', 'localhost:9102', ':9102', '127.0.0.1'])(
  '"%s" is no address for metrics',
  (address) => {
    expect(() => configSchema.parse({ metrics: { address } })).toThrow('must be IP:PORT');
  },
);

test('half of what TLS needs is refused', () => {
  const metrics = { address: '127.0.0.1:9102', tls_cert: '/etc/davit/metrics.crt' };
  expect(() => configSchema.parse({ metrics })).toThrow('both tls_cert and tls_key');
});

test.each(['0.0.0.0', '10.0.0.1', '::'])('streams on "%s" need TLS', (address) => {
  expect(() => configSchema.parse({ streaming: { address } })).toThrow('must be on loopback');
  const tls = { tls_cert: '/etc/davit/stream.crt', tls_key: '/etc/davit/stream.key' };
  expect(configSchema.parse({ streaming: { address, ...tls } }).streaming.tls_min_version).toBe('1.2');
});

test('an authority for clients of streams is nothing without TLS', () => {
  const streaming = { tls_client_ca: '/etc/davit/clients.crt' };
  expect(() => configSchema.parse({ streaming })).toThrow('needs tls_cert and tls_key');
});
