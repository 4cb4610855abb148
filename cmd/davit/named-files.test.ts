import { mkdirSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseConfig } from '../../pkg/config/load.ts';
import { tempDir, type TempDir } from '../../pkg/sys/testing/temp-dir.ts';
import { mistakesInFiles } from './named-files.ts';

/** A node with folders for everything, empty but for a registry that is fine. */
function setUp() {
  const dir = tempDir();
  for (const name of ['certs', 'cni', 'cni2', 'cdi', 'hooks']) mkdirSync(dir.join(name));
  mkdirSync(dir.join('certs', 'good.example_5000_'));
  write(dir, 'certs/good.example_5000_/hosts.toml', 'server = "https://good.example"\n');
  const text = `
[image]
certs_dirs = ["${dir.join('certs')}", "${dir.join('missing')}"]
signature_policy = "${dir.join('policy.json')}"
[cni]
conf_dir = "${dir.join('cni')}"
[runtime.handlers]
runc = { path = "/usr/sbin/runc", cni_conf_dir = "${dir.join('cni2')}" }
[cdi]
spec_dirs = ["${dir.join('cdi')}"]
[hooks]
dirs = ["${dir.join('hooks')}"]
`;
  const config = parseConfig([{ file: 'davit.toml', text }]);
  write(dir, 'policy.json', '{ "default": [{ "type": "reject" }] }');
  return {
    dir,
    config,
    [Symbol.dispose]: () => {
      dir[Symbol.dispose]();
    },
  };
}

function write(dir: TempDir, name: string, text: string): void {
  writeFileSync(dir.join(name), text);
}

test('files that can be used, and folders that are missing, are no mistake', async () => {
  using node = setUp();
  expect(await mistakesInFiles(node.config)).toEqual([]);
});

test.each([
  ['policy.json', '{ "default": [] }', 'image.signature_policy', 'default'],
  [
    'policy.json',
    '{ "default": [{ "type": "sigstoreSigned", "keyPath": "/no/such/key" }] }',
    'image.signature_policy',
    'cannot read key "/no/such/key"',
  ],
  ['certs/_default/hosts.toml', 'server = 7', 'image.certs_dirs', 'server: Invalid input'],
  ['certs/bad.example/hosts.toml', '[', 'image.certs_dirs', 'bad.example/hosts.toml'],
  ['cni/10-x.conflist', '{', 'cni.conf_dir', 'JSON'],
  ['cni2/10-x.conflist', '{}', 'runtime.handlers.runc.cni_conf_dir', 'name'],
  ['cdi/x.json', '{}', 'cdi.spec_dirs', 'cdiVersion'],
  ['hooks/x.json', '{ "version": "1" }', 'hooks.dirs', 'version: must be "1.0.0"'],
])('a mistake in %s is told by option, file and field: %s', async (name, text, option, why) => {
  using node = setUp();
  mkdirSync(node.dir.join(name, '..'), { recursive: true });
  write(node.dir, name, text);
  const [mistake = '', ...others] = await mistakesInFiles(node.config);
  expect(others).toEqual([]);
  expect(mistake.startsWith(`${option}: "${node.dir.path}/`)).toBe(true);
  expect(mistake).toContain(why);
});
