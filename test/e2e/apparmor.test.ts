// What AppArmor does to a container. Where the kernel has none, that nothing is done and nothing is pretended.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  SecurityProfileProfileType as Type,
  type LinuxContainerSecurityContextInit,
} from '../../api/cri/generated/types.ts';
import { podConfig, TestPod } from './harness/pod.ts';
import { refusalOf } from './harness/refusal.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode();

const ON = kernelHasAppArmor();

function kernelHasAppArmor(): boolean {
  try {
    return readFileSync('/sys/module/apparmor/parameters/enabled', 'latin1').startsWith('Y');
  } catch {
    return false;
  }
}

const MINE = 'davit-e2e-local';

/** Loads a profile that forbids one file, where there can be one. */
function loadProfile(): Disposable {
  const input = `profile ${MINE} flags=(attach_disconnected) {\n file,\n signal,\n deny /www/** r,\n}\n`;
  const parser = (action: string) =>
    ON && execFileSync('apparmor_parser', [action, '--skip-cache', '--quiet'], { input, stdio: 'pipe' });
  parser('--replace');
  return { [Symbol.dispose]: () => void parser('--remove') };
}

/** Which profile it has, and whether it can mount although it may: capabilities alone would let it. */
const SCRIPT = [
  'sh',
  '-c',
  'cat /proc/self/attr/current; mount -t tmpfs x /home 2>/dev/null && echo mounted; :',
];

async function seenBy(security: LinuxContainerSecurityContextInit): Promise<string> {
  const pod = await TestPod.run(node, { privileged: security.privileged ?? false });
  const capabilities = { addCapabilities: ['SYS_ADMIN'] };
  return await pod.output(SCRIPT, { security: { capabilities, ...security } });
}

const CONFINED = ON ? 'davit-default (enforce)\n' : 'mounted\n';
const UNCONFINED = ON ? 'unconfined\nmounted\n' : 'mounted\n';

test.each([
  ['asks for nothing', {}, CONFINED],
  ['asks for RuntimeDefault', { apparmor: { profileType: Type.RuntimeDefault } }, CONFINED],
  ['asks for it with the field of old', { apparmorProfile: 'runtime/default' }, CONFINED],
  ['asks for Unconfined', { apparmor: { profileType: Type.Unconfined } }, UNCONFINED],
  ['asks for that with the field of old', { apparmorProfile: 'unconfined' }, UNCONFINED],
])('a container that %s has that profile, and is kept from what it denies', async (_, security, seen) => {
  expect(await seenBy(security)).toBe(seen);
});

test('a privileged container has no profile', async () => {
  expect(await seenBy({ privileged: true })).toBe(UNCONFINED);
});

test('what is run in a container later has its profile', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start({ command: ['sleep', '1000'] });
  const { stdout } = await container.exec(['sh', '-c', 'cat /proc/self/attr/current || true']);
  expect(stdout).toBe(ON ? 'davit-default (enforce)\n' : '');
  await container.stop(0);
});

test('a container that is confined can be stopped', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start({
    command: ['sh', '-c', 'trap "exit 7" TERM; echo ready; sleep 1000 & wait'],
  });
  await container.waitForLog('ready');
  await container.stop(30);
  expect((await container.status()).exitCode).toBe(7);
});

test('a profile of the node is used, or refused by name where there is no AppArmor', async () => {
  using _profile = loadProfile();
  const pod = await TestPod.run(node);
  const command = ['sh', '-c', 'cat /proc/self/attr/current; cat /www/index.html 2>&1'];
  const created = pod.create({
    command,
    security: { apparmor: { profileType: Type.Localhost, localhostRef: MINE } },
  });
  if (!ON) {
    expect(await refusalOf(created)).toEqual({
      code: 'FAILED_PRECONDITION',
      message: `cannot use AppArmor profile "${MINE}": the kernel of this node has no AppArmor`,
    });
    return;
  }
  const container = await created;
  await container.start();
  await container.waitForExit();
  expect(container.logText('stdout')).toMatch(/^davit-e2e-local \(enforce\)\n.*Permission denied\n$/);
});

test('a profile that is not loaded is refused by name, for a container and for a pod', async () => {
  const apparmor = { profileType: Type.Localhost, localhostRef: 'davit-e2e-none' };
  const why = ON ? 'it is not loaded on this node' : 'the kernel of this node has no AppArmor';
  const refusal = {
    code: 'FAILED_PRECONDITION',
    message: `cannot use AppArmor profile "davit-e2e-none": ${why}`,
  };
  const pod = await TestPod.run(node);
  expect(await refusalOf(pod.create({ security: { apparmor } }))).toEqual(refusal);
  const config = podConfig(node);
  const linux = { ...config.linux, securityContext: { ...config.linux?.securityContext, apparmor } };
  expect(await refusalOf(TestPod.run(node, { config: { ...config, linux } }))).toEqual(refusal);
});

test('Status says whether the node has it', async () => {
  const { info } = await node.client.status({ verbose: true });
  expect(JSON.parse(info['config'] ?? '')).toMatchObject({ apparmor: ON ? 'on' : 'off' });
});
