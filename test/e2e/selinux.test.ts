// What SELinux does to a container on a node without it: nothing, and nothing is pretended.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { llistxattr } from '../../pkg/sys/libc/file.ts';
import { tempDir } from '../../pkg/sys/testing/temp-dir.ts';
import { podConfig, TestPod } from './harness/pod.ts';
import { refusalOf } from './harness/refusal.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode();

const selinuxOptions = { user: 'system_u', role: 'system_r', type: 'spc_t', level: 's0:c1,c2' };

test('without SELinux labels that are asked for mean nothing, and Status says that it is off', async () => {
  const { info } = await node.client.status({ verbose: true });
  expect(JSON.parse(info['config'] ?? '')).toMatchObject({ selinux: 'off' });
  using volume = tempDir();
  const mounts = [{ hostPath: volume.path, containerPath: '/mnt', selinuxRelabel: true }];
  const { linux } = podConfig(node);
  const securityContext = { ...linux?.securityContext, selinuxOptions };
  const pod = await TestPod.run(node, { config: { linux: { ...linux, securityContext } } });
  const container = await pod.create({ security: { selinuxOptions }, config: { mounts } });
  const spec = readFileSync(join(node.place.run, 'containers', container.id, 'config.json'), 'utf8');
  expect(spec).not.toMatch(/selinuxLabel|mountLabel/);
  expect(llistxattr(volume.path)).not.toContain('security.selinux');
});

test('a label that cannot be one is refused by the name of its field, for a pod and a container', async () => {
  const field = 'config.linux.security_context.selinux_options.level';
  const refusal = {
    code: 'INVALID_ARGUMENT',
    message: `${field} "s0,upperdir=/" is not the level of a SELinux label`,
  };
  const bad = { level: 's0,upperdir=/' };
  const pod = await TestPod.run(node);
  expect(await refusalOf(pod.create({ security: { selinuxOptions: bad } }))).toEqual(refusal);
  const { linux } = podConfig(node);
  const securityContext = { ...linux?.securityContext, selinuxOptions: bad };
  const config = podConfig(node, { config: { linux: { ...linux, securityContext } } });
  expect(await refusalOf(node.client.runPodSandbox({ config }))).toEqual(refusal);
});
