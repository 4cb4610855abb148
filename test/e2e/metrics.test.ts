// What Prometheus sees of a node: asked by curl's means, by its own tool, and by Debian's Prometheus itself.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { identifyNow } from '../../pkg/sys/process-identity.ts';
import { signal } from '../../pkg/sys/process.ts';
import { hierarchyOf, isCgroupV2 } from './harness/cgroups.ts';
import { eventually } from './harness/eventually.ts';
import { TestPod } from './harness/pod.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode({ config: '[metrics]\naddress = "127.0.0.1:0"\n' });

/** `127.0.0.1:40123`, as the daemon logged it last. */
function metricsAddress(): string {
  const log = readFileSync(node.place.daemonLog, 'utf8');
  const line = log
    .split('\n')
    .reverse()
    .find((each) => each.includes('"serving metrics"'));
  return (JSON.parse(line ?? '{}') as { address?: string }).address ?? '';
}

async function scrape(): Promise<string> {
  const response = await fetch(`http://${metricsAddress()}/metrics`);
  expect(response.status).toBe(200);
  return await response.text();
}

/** The value of the one row of a metric that has all these labels. */
function valueOf(text: string, name: string, labels: Readonly<Record<string, string>>): number {
  const wanted = Object.entries(labels).map(([key, value]) => `${key}="${value}"`);
  const rows = text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) && wanted.every((pair) => line.includes(pair)));
  expect(rows).toHaveLength(1);
  return Number(rows[0]?.split(' ').at(-1));
}

test('promtool finds nothing wrong with what a node with a pod tells', async () => {
  const pod = await TestPod.run(node);
  await pod.start();
  const text = await scrape();
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
    input: text,
    encoding: 'utf8',
  });
  expect({ status, output: stdout + stderr }).toEqual({ status: 0, output: '' });
});

test('the values are those of the kernel', async () => {
  const pod = await TestPod.run(node);
  const command = ['sh', '-c', 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo done; sleep 1000'];
  const container = await pod.start({ command, resources: { memoryLimitInBytes: 64n * 1024n * 1024n } });
  await eventually('it has burnt its time', () => container.logText('stdout').includes('done'));
  const { cgroupPath } = await container.info();
  const file = isCgroupV2
    ? join(hierarchyOf('cpu'), cgroupPath, 'cpu.stat')
    : join(hierarchyOf('cpuacct'), cgroupPath, 'cpuacct.usage');
  const secondsInKernel = () => {
    const text = readFileSync(file, 'utf8');
    return isCgroupV2 ? Number(/usage_usec (\d+)/.exec(text)?.[1]) / 1e6 : Number(text) / 1e9;
  };
  let text = '';
  await eventually('it does nothing more, and what is told is what the kernel has', async () => {
    text = await scrape();
    const told = valueOf(text, 'container_cpu_usage_seconds_total', { id: container.id });
    return told > 0.05 && Math.abs(told - secondsInKernel()) < 0.005;
  });
  expect(valueOf(text, 'container_spec_memory_limit_bytes', { id: container.id })).toBe(64 * 1024 * 1024);
  expect(valueOf(text, 'container_processes', { id: container.id, container: 'main' })).toBe(1);
});

test('the daemon counts what it did', async () => {
  const before = await scrape();
  const pod = await TestPod.run(node);
  const container = await pod.start({ command: ['sh', '-c', 'exit 0'] });
  await container.waitForExit();
  const after = await scrape();
  const grown = (name: string, labels: Readonly<Record<string, string>>): number => {
    const has = before
      .split('\n')
      .some((line) => line.startsWith(`${name}{`) && line.includes(Object.values(labels)[0] ?? ''));
    return valueOf(after, name, labels) - (has ? valueOf(before, name, labels) : 0);
  };
  expect(grown('davit_rpcs_total', { method: 'RunPodSandbox', code: 'ok' })).toBe(1);
  expect(grown('davit_cni_duration_seconds_count', { plugin: 'bridge', command: 'ADD' })).toBe(1);
  expect(grown('davit_runtime_duration_seconds_count', { command: 'create' })).toBe(1);
  expect(grown('davit_container_exits_total', { reason: 'Completed' })).toBe(1);
  expect(after).toMatch(/^davit_store_commit_duration_seconds_count [1-9]/m);
  expect(after).toMatch(/^davit_store_bytes [1-9]/m);
  expect(after).toMatch(/^davit_sandboxes\{phase="ready"\} 1$/m);
});

test('a stream under way is an operation, in the metrics and for davitctl', async () => {
  const gone = new AbortController();
  const events = node.client.getContainerEvents({}, { signal: gone.signal });
  const reading = (async () => {
    for await (const _event of events); // nothing is expected
  })().catch(() => undefined);
  await eventually('it is under way', async () => {
    const { operations } = await node.davit.listOperations({});
    return operations.some(({ method }) => method === 'GetContainerEvents');
  });
  const row = 'davit_operations_in_flight{method="GetContainerEvents"} 1\n';
  expect(await scrape()).toContain(row);
  gone.abort();
  await reading;
  await eventually('it is over', async () => !(await scrape()).includes(row));
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

interface Prometheus extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly url: string;
}

async function startPrometheus(): Promise<Prometheus> {
  const config = join(node.place.dir, 'prometheus.yml');
  const job = { job_name: 'davit', static_configs: [{ targets: [metricsAddress()] }] };
  const rules = join(import.meta.dirname, '../../deploy/alerts.yaml');
  const global = { scrape_interval: '1s', evaluation_interval: '1s' };
  writeFileSync(config, JSON.stringify({ global, rule_files: [rules], scrape_configs: [job] }));
  const address = `127.0.0.1:${await freePort()}`;
  const child = spawn(
    '/usr/bin/prometheus',
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(node.place.dir, 'tsdb')}`,
      `--web.listen-address=${address}`,
    ],
    { stdio: 'ignore' },
  );
  const exited = new Promise((resolve) => {
    child.once('error', resolve); // there is no such program: then nothing answers, and the test fails
    child.once('exit', resolve);
  });
  return {
    child,
    url: `http://${address}`,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

test('a Prometheus scrapes the node, and its alerts are quiet', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start();
  await using prometheus = await startPrometheus();
  const query = async (
    expr: string,
  ): Promise<{ metric: Record<string, string>; value: [number, string] }[]> => {
    const response = await fetch(`${prometheus.url}/api/v1/query?query=${encodeURIComponent(expr)}`);
    const { data } = (await response.json()) as { data: { result: [] } };
    return data.result;
  };
  const memory = `container_memory_usage_bytes{id="${container.id}"}`;
  const [row] = await eventually(
    'Prometheus knows the container',
    async () => {
      const rows = await query(memory).catch(() => []);
      return rows.length > 0 && rows;
    },
    30_000,
  );
  expect(row?.metric).toMatchObject({ container: 'main', namespace: 'e2e', job: 'davit' });
  expect(Number(row?.value[1])).toBeGreaterThan(0);
  expect((await query('up{job="davit"}'))[0]?.value[1]).toBe('1');
  const response = await fetch(`${prometheus.url}/api/v1/rules`);
  const { data } = (await response.json()) as { data: { groups: { rules: { state: string }[] }[] } };
  const states = data.groups.flatMap(({ rules }) => rules.map(({ state }) => state));
  expect([...new Set(states)]).toEqual(['inactive']);
});

// The last: what the daemon finds wrong then would make an alert of the test above pending.
test('a monitor that dies before its container is counted', async () => {
  const container = await (await TestPod.run(node)).start();
  await signal(identifyNow((await container.info()).monitorPid)!, 'SIGKILL');
  await eventually('it is counted', async () => (await scrape()).includes('\ndavit_monitors_lost_total 1\n'));
});
