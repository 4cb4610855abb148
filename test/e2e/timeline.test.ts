// Where the time went: every stage of a pod's start, in the places where people look; and what those wait for who want
// the same at the same time.

import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Stage } from '../../pkg/base/timeline.ts';
import { eventually } from './harness/eventually.ts';
import { buildImage } from './harness/image-builder.ts';
import { TestPod } from './harness/pod.ts';
import { Registry } from './harness/registry.ts';
import { busyboxEntries } from './harness/test-image.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode({
  config: ({ dir }) => {
    const hooks = join(dir, 'hooks.d');
    mkdirSync(hooks);
    const program = join(dir, 'hook-program');
    writeFileSync(program, '#!/bin/sh\nexit 0\n');
    chmodSync(program, 0o755);
    const write = (name: string, ...stages: readonly string[]) => {
      const hook = { version: '1.0.0', hook: { path: program }, when: { always: true }, stages };
      writeFileSync(join(hooks, name), JSON.stringify(hook));
    };
    write('10-first.json', 'createRuntime');
    write('20-second.json', 'createRuntime', 'poststart');
    return `[hooks]\ndirs = ["${hooks}"]\n`;
  },
});

let registry: Registry;

beforeAll(async () => {
  registry = await Registry.start(node.place);
});
afterAll(() => registry[Symbol.asyncDispose]());

const OF_THE_POD = [
  'run pod sandbox',
  'write pod files',
  'create cgroup',
  'create namespaces',
  'mount shared memory',
  'attach network',
  'cni add bridge',
];

const OF_THE_PULL: readonly (string | RegExp)[] = [
  /^pull 127\.0\.0\.1:\d+\/apps\/timed:v1$/,
  'resolve reference',
  'fetch manifest and config',
  'fetch and unpack layers',
  /^wait for layer [0-9a-f]{12}$/,
  /^download layer [0-9a-f]{12}$/,
  /^unpack layer [0-9a-f]{12}$/,
];

const OF_THE_CONTAINER = [
  'create main',
  'create bundle',
  'map ids of volumes',
  'mount image volumes',
  'prepare root file system',
  'mount root filesystem',
  'create in runtime',
  'hooks createRuntime 10-first.json, 20-second.json',
  'start monitor',
  'runtime create',
  'start main',
  'hooks poststart 20-second.json',
  'runtime start',
];

function parse(json: string | undefined): Stage[] {
  return JSON.parse(json ?? '[]') as Stage[];
}

/** Of `wanted`, what no stage is called. */
function missing(stages: readonly Stage[], wanted: readonly (string | RegExp)[]): (string | RegExp)[] {
  return wanted.filter((name) => !stages.some((stage) => stage.name === name || isMatch(name, stage.name)));
}

function isMatch(pattern: string | RegExp, name: string): boolean {
  return pattern instanceof RegExp && pattern.test(name);
}

async function davitctl(...args: readonly string[]): Promise<string> {
  const program = join(import.meta.dirname, '../../bin/davitctl');
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', DAVIT_SOCKET: node.place.socket };
  return (await promisify(execFile)(program, args, { env })).stdout;
}

test('the start of a pod is told stage by stage, each within the one around it', async () => {
  const layers = [{ entries: busyboxEntries() }, { entries: [{ path: '/timed', data: 'only here\n' }] }];
  await registry.push('apps/timed', 'v1', await buildImage({ layers }));
  const image = `${registry.host}/apps/timed:v1`;
  const pod = await TestPod.run(node);
  await node.client.pullImage({ image: { image }, sandboxConfig: pod.config });
  const container = await pod.start({ image, command: ['sleep', '1000'] });

  const ofPod = await node.client.podSandboxStatus({ podSandboxId: pod.id, verbose: true });
  const ofContainer = await node.client.containerStatus({ containerId: container.id, verbose: true });

  const stages = parse(ofPod.info['timeline']);
  expect(missing(stages, [...OF_THE_POD, ...OF_THE_PULL, ...OF_THE_CONTAINER])).toEqual([]);
  expect(missing(parse(ofContainer.info['timeline']), [...OF_THE_PULL, ...OF_THE_CONTAINER])).toEqual([]);
  const named = (name: string) => {
    const { startedAtMs = NaN, tookMs = NaN } = stages.find((stage) => stage.name === name) ?? {};
    return { begin: startedAtMs, end: startedAtMs + tookMs };
  };
  for (const [outer, inner] of [
    ['run pod sandbox', 'attach network'],
    ['attach network', 'cni add bridge'],
    ['create main', 'create in runtime'],
    ['create in runtime', 'start monitor'],
    ['create in runtime', 'runtime create'],
    ['start main', 'runtime start'],
  ] as const) {
    expect(named(inner).begin, inner).toBeGreaterThanOrEqual(named(outer).begin);
    expect(named(inner).end, inner).toBeLessThanOrEqual(named(outer).end);
  }

  const name = pod.config.metadata?.name ?? '';
  expect(parse(await davitctl('timeline', '--json', name))).toEqual(stages);
  const chart = await davitctl('timeline', name);
  expect(stages.filter((stage) => !chart.includes(stage.name))).toEqual([]);
});

/** A registry that answers nothing before it is let go; and then, that it has nothing. */
async function aHeldRegistry(): Promise<{ host: string; letGo: () => void } & Disposable> {
  const held: ServerResponse[] = [];
  let isHeld = true;
  const server = createServer((_, response) => {
    if (isHeld) held.push(response);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    letGo: () => {
      isHeld = false;
      for (const response of held) response.writeHead(404).end();
    },
    [Symbol.dispose]: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

test('a pull that joins another is told so, among the operations and in the timeline of its pod', async () => {
  using origin = await aHeldRegistry();
  const image = { image: `${origin.host}/apps/shared:v1` };
  const pods = [await TestPod.run(node), await TestPod.run(node)];
  const pulls = Promise.allSettled(
    pods.map(({ config }) => node.client.pullImage({ image, sandboxConfig: config })),
  );
  const WAIT = 'wait for another pull of this image';

  const operations = await eventually('both are at the registry', async () => {
    const all = (await node.davit.listOperations({})).operations;
    const pulling = all.filter(
      ({ method, stage }) => method === 'PullImage' && stage === 'resolve reference',
    );
    return pulling.length === 2 && pulling;
  });
  origin.letGo();
  const outcomes = await pulls;

  const pull = `pull ${image.image}`;
  expect(operations.map(({ within }) => within)).toEqual([[pull], [pull, WAIT]]);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  const waits = await Promise.all(
    pods.map(async ({ id }) => {
      const { info } = await node.client.podSandboxStatus({ podSandboxId: id, verbose: true });
      return parse(info['timeline']).filter((stage) => stage.name === WAIT).length;
    }),
  );
  expect(waits.toSorted()).toEqual([0, 1]);
});
