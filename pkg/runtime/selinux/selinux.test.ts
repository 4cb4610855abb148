import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLog } from '../../base/testing/call.ts';
import { tempDir, type TempDir } from '../../sys/testing/temp-dir.ts';
import { canonicalLabel } from './kernel.ts';
import { Selinux, type SelinuxNode } from './selinux.ts';

let node: TempDir;
beforeEach(() => {
  node = tempDir();
});
afterEach(() => {
  node[Symbol.dispose]();
});

function put(path: string, text: string): void {
  mkdirSync(dirname(node.join(path)), { recursive: true });
  writeFileSync(node.join(path), text);
}

/** A node with SELinux, whose policy knows every label that it is not told of. */
async function open(options: { wanted?: boolean; unknown?: string } = {}): Promise<Selinux> {
  const canonical: SelinuxNode['canonical'] = (label) =>
    Promise.resolve(
      options.unknown !== undefined && label.includes(options.unknown)
        ? undefined
        : label.replace('c9,c1', 'c1,c9'),
    );
  return await Selinux.open(
    { wanted: options.wanted ?? true, log: silentLog },
    { root: node.path, canonical },
  );
}

function turnOn(own = 'system_u:system_r:unconfined_service_t:s0\0'): void {
  put('sys/fs/selinux/context', '');
  put('proc/self/attr/current', own);
}

const POD = {
  process: 'system_u:system_r:container_t:s0:c1,c2',
  mount: 'system_u:object_r:container_file_t:s0:c1,c2',
};
const CONFINED = { asked: {}, privileged: false, seesNode: false };

test('without selinuxfs SELinux is off, and nobody has labels, whatever they ask for', async () => {
  const selinux = await open();
  expect(selinux.state).toBe('off');
  expect((await selinux.claimForPod({ type: 'other_t' }, [])).labels).toBeUndefined();
  expect(await selinux.forContainer(POD, { ...CONFINED, asked: { type: 'other_t' } })).toBeUndefined();
});

test('it is off while no policy is loaded, and where the configuration says so', async () => {
  turnOn('kernel\0');
  expect((await open()).state).toBe('off');
  turnOn();
  expect((await open({ wanted: false })).state).toBe('off');
  expect((await open()).state).toBe('on');
});

test('with a policy that knows no containers they have no labels', async () => {
  turnOn();
  const selinux = await open({ unknown: 'container_t' });
  expect(selinux.state).toBe('no_policy');
  expect((await selinux.claimForPod({}, [])).labels).toBeUndefined();
});

test('a pod gets the labels of container-selinux, with a level of its own', async () => {
  turnOn();
  using claim = await (await open()).claimForPod({}, []);
  expect(claim.labels?.process).toMatch(/^system_u:system_r:container_t:s0:c\d+,c\d+$/);
  expect(claim.labels?.mount).toBe(
    claim.labels?.process.replace('system_r:container_t', 'object_r:container_file_t'),
  );
});

test('the labels are those of the policy of the node', async () => {
  turnOn();
  put('etc/selinux/config', '# SELINUXTYPE=no\nSELINUX=enforcing\nSELINUXTYPE=mls\n');
  put(
    'etc/selinux/mls/contexts/lxc_contexts',
    'process = "u:r:box_t:s0"\nfile = "u:object_r:box_file_t:s0"\nro_file = "x:y:z:s0"\n',
  );
  using claim = await (await open()).claimForPod({ level: 's0:c5' }, []);
  expect(claim.labels).toEqual({ process: 'u:r:box_t:s0:c5', mount: 'u:object_r:box_file_t:s0:c5' });
});

test('a policy without levels gets none', async () => {
  turnOn();
  put('usr/share/containers/selinux/contexts', 'process = "u:r:t"\nfile = "u:object_r:f_t"\n');
  using claim = await (await open()).claimForPod({}, []);
  expect(claim.labels).toEqual({ process: 'u:r:t', mount: 'u:object_r:f_t' });
});

test('the name of the policy leads nowhere else', async () => {
  turnOn();
  put('etc/selinux/config', 'SELINUXTYPE=../../evil\n');
  put('evil/contexts/lxc_contexts', 'process = "u:r:evil_t:s0"\n');
  using claim = await (await open()).claimForPod({}, []);
  expect(claim.labels?.process).toContain('container_t');
});

test('user and level are asked for of files too, role and type of processes alone', async () => {
  turnOn();
  const asked = { user: 'staff_u', role: 'staff_r', type: 'web_t', level: 's0:c9,c1' };
  using claim = await (await open()).claimForPod(asked, []);
  expect(claim.labels).toEqual({
    process: 'staff_u:staff_r:web_t:s0:c1,c9',
    mount: 'staff_u:object_r:container_file_t:s0:c1,c9',
  });
});

test('a container has the labels of its pod, but for what is asked for', async () => {
  turnOn();
  const selinux = await open();
  expect(await selinux.forContainer(POD, CONFINED)).toEqual(POD);
  expect(await selinux.forContainer(POD, { ...CONFINED, asked: { type: 'web_t' } })).toEqual({
    ...POD,
    process: 'system_u:system_r:web_t:s0:c1,c2',
  });
});

test.each([
  ['a privileged container', { ...CONFINED, privileged: true }],
  [
    'a privileged container that asks for a type',
    { ...CONFINED, privileged: true, asked: { type: 'web_t' } },
  ],
  ['a container that sees the processes of the node', { ...CONFINED, seesNode: true }],
])('%s is not confined, and its files have the label of the pod', async (_, container) => {
  turnOn();
  expect(await (await open()).forContainer(POD, container)).toEqual({ mount: POD.mount });
});

test('a container that sees the processes of the node is confined if it asks for a type', async () => {
  turnOn();
  const container = { ...CONFINED, seesNode: true, asked: { type: 'exporter_t' } };
  expect(await (await open()).forContainer(POD, container)).toMatchObject({
    process: 'system_u:system_r:exporter_t:s0:c1,c2',
  });
});

test('in a pod that was run without labels only a container that asks for one has one', async () => {
  turnOn();
  const selinux = await open();
  expect(await selinux.forContainer(undefined, CONFINED)).toBeUndefined();
  expect(await selinux.forContainer(undefined, { ...CONFINED, asked: { level: 's0:c7' } })).toMatchObject({
    process: 'system_u:system_r:container_t:s0:c7',
  });
});

test('a label that the policy does not know is refused, and its level is free again', async () => {
  turnOn();
  const selinux = await open({ unknown: 'nosuch_t' });
  await expect(selinux.claimForPod({ type: 'nosuch_t' }, [])).rejects.toMatchObject({
    code: 'invalid_argument',
    message: expect.stringContaining('nosuch_t:s0:c') as string,
  });
});

test('the kernel is asked for a label through the file context', async () => {
  turnOn();
  const label = 'system_u:system_r:container_t:s0';
  expect(await canonicalLabel(node.path, label)).toBe(label); // a file answers with what was written to it
  expect(readFileSync(node.join('sys/fs/selinux/context'), 'utf8')).toBe(label);
});
