// Names are never stuck: a call that hangs is joined by the next one, and one that was given up stands in nobody's way.

import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeConflist } from './harness/config.ts';
import { containerConfig } from './harness/container.ts';
import { eventually } from './harness/eventually.ts';
import { podConfig, TestPod } from './harness/pod.ts';
import { useNode } from './harness/use-node.ts';

/** A runtime and a network plugin that wait as long as there is a file. */
const HANDLER = 'held';

const node = useNode({
  config: ({ dir, bridge, pluginDir }) => {
    const runtime = join(dir, 'held-runtime');
    const cniDir = join(dir, 'held-cni');
    writeProgram(
      runtime,
      `for word in "$@"; do [ "$word" = create ] && while [ -e ${dir}/hold-create ]; do sleep 0.02; done; done
exec /usr/sbin/runc "$@"`,
    );
    mkdirSync(pluginDir, { recursive: true });
    writeProgram(
      join(pluginDir, 'e2e-held'),
      `[ "$CNI_COMMAND" = VERSION ] && echo '{"cniVersion":"1.0.0","supportedVersions":["1.0.0"]}' && exit 0
[ "$CNI_COMMAND" = ADD ] || exit 0
while [ -e ${dir}/hold-add ]; do sleep 0.02; done
echo '{"cniVersion":"1.0.0","ips":[{"address":"192.0.2.8/24"}]}'`,
    );
    mkdirSync(cniDir);
    const plugins = [{ type: 'e2e-held' }];
    writeConflist(
      { cniDir },
      '10-held.conflist',
      JSON.stringify({ cniVersion: '1.0.0', name: bridge, plugins }),
    );
    return `[runtime.handlers.${HANDLER}]\npath = "${runtime}"\nroot = "${dir}/held-state"\ncni_conf_dir = "${cniDir}"\n`;
  },
});

function writeProgram(path: string, script: string): void {
  writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

/** Holds `add` or `create` until it is disposed. */
function hold(what: 'add' | 'create'): Disposable {
  const file = join(node.place.dir, `hold-${what}`);
  writeFileSync(file, '');
  return {
    [Symbol.dispose]: () => {
      if (existsSync(file)) rmSync(file);
    },
  };
}

/** Waits until so many calls of `method` are at `stage`. @returns how long, in nanoseconds, each has been there */
async function waitForStage(method: string, stage: string | RegExp, calls: number): Promise<bigint[]> {
  const isThere = (name: string) => (stage instanceof RegExp ? stage.test(name) : name === stage);
  return await eventually(`${calls} times ${method} at "${stage}"`, async () => {
    const { operations } = await node.davit.listOperations({});
    const found = operations.filter((each) => each.method === method && isThere(each.stage));
    return found.length === calls && found.map(({ stageAge }) => stageAge);
  });
}

const ADD = 'cni add e2e-held';

test('a pod that is asked for while its network hangs is one pod, and each call is told where it hangs', async () => {
  const request = { config: podConfig(node), runtimeHandler: HANDLER };
  using held = hold('add');
  const first = node.client.runPodSandbox(request);
  const [age = 0n] = await waitForStage('RunPodSandbox', ADD, 1);
  const second = node.client.runPodSandbox(request);
  const ages = await waitForStage('RunPodSandbox', ADD, 2);
  expect(ages.every((each) => each > age)).toBe(true); // also that of the second: it is the same plugin
  const { operations } = await node.davit.listOperations({});
  const WAIT = 'wait for another run of this pod';
  const runs = operations.filter(({ method }) => method === 'RunPodSandbox');
  expect(runs.map(({ within }) => within.includes(WAIT))).toEqual([false, true]);
  held[Symbol.dispose]();
  const { podSandboxId } = await first;
  expect((await second).podSandboxId).toBe(podSandboxId);
  const { info } = await node.client.podSandboxStatus({ podSandboxId, verbose: true });
  const stages = JSON.parse(info['timeline'] ?? '[]') as { name: string; tookMs?: number }[];
  expect(stages.filter(({ name }) => name === WAIT)).toMatchObject([
    { tookMs: expect.any(Number) as number },
  ]);
});

test('a pod that was given up while its network hung can be run at once', async () => {
  const request = { config: podConfig(node), runtimeHandler: HANDLER };
  using held = hold('add');
  const caller = new AbortController();
  const first = node.client.runPodSandbox(request, { signal: caller.signal });
  await waitForStage('RunPodSandbox', ADD, 1);
  caller.abort();
  await expect(first).rejects.toThrow('aborted');
  await gone('RunPodSandbox');
  const second = node.client.runPodSandbox(request);
  await waitForStage('RunPodSandbox', /^wait for [0-9a-f]{12}$/, 1); // the first still holds the pod
  held[Symbol.dispose]();
  const { podSandboxId } = await second;
  expect((await node.client.listPodSandbox()).items.map(({ id }) => id)).toEqual([podSandboxId]);
});

test('a container that is asked for while its runtime hangs is one container', async () => {
  const pod = await TestPod.run(node, { handler: HANDLER });
  const request = { podSandboxId: pod.id, config: containerConfig(pod), sandboxConfig: pod.config };
  mkdirSync(join(pod.config.logDirectory ?? '', 'main'), { recursive: true });
  using held = hold('create');
  const first = node.client.createContainer(request);
  await waitForStage('CreateContainer', 'runtime create', 1);
  const second = node.client.createContainer(request);
  await waitForStage('CreateContainer', 'runtime create', 2);
  held[Symbol.dispose]();
  expect((await second).containerId).toBe((await first).containerId);
});

test('a container that was given up while its runtime hung can be created at once', async () => {
  const pod = await TestPod.run(node, { handler: HANDLER });
  const request = { podSandboxId: pod.id, config: containerConfig(pod), sandboxConfig: pod.config };
  mkdirSync(join(pod.config.logDirectory ?? '', 'main'), { recursive: true });
  using held = hold('create');
  const caller = new AbortController();
  const first = node.client.createContainer(request, { signal: caller.signal });
  await waitForStage('CreateContainer', 'runtime create', 1);
  caller.abort();
  await expect(first).rejects.toThrow('aborted');
  await gone('CreateContainer');
  const second = node.client.createContainer(request);
  await operationOf('CreateContainer');
  held[Symbol.dispose]();
  const { containerId } = await second;
  await node.client.startContainer({ containerId });
  expect((await node.client.listContainers()).containers.map(({ id }) => id)).toEqual([containerId]);
});

async function isUnderWay(method: string): Promise<boolean> {
  const { operations } = await node.davit.listOperations({});
  return operations.some((each) => each.method === method);
}

async function gone(method: string): Promise<void> {
  await eventually(`${method} is no more under way`, async () => !(await isUnderWay(method)));
}

async function operationOf(method: string): Promise<void> {
  await eventually(`${method} is under way`, () => isUnderWay(method));
}
