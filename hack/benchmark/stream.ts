// hack/bench stream: how fast exec and port-forward are, and whether thousands of execs leave anything behind.

import { runBench, say, type BenchRun } from './bench.ts';
import { ownCpuMs, processCpuMs } from './cpu.ts';
import { Pod } from './pod.ts';
import { startRuntime, type RuntimeName } from './runtimes.ts';
import { summarize, type Summary } from './statistics.ts';
import { drainExec, drainPort, feedPort } from './stream-client.ts';
import { endure, type Endurance } from './stream-endurance.ts';
import { parseStreamOptions, STREAM_USAGE, type StreamBenchOptions } from './stream-options.ts';
import type { Target } from './target.ts';

/** @returns the exit status */
export async function benchStream(args: string[]): Promise<number> {
  const command = { name: 'hack/bench stream', usage: STREAM_USAGE, parse: parseStreamOptions };
  const toText = (results: Result[]): string => results.map(toLines).join('\n');
  return await runBench({ ...command, measure, toText, toJson: (results) => results }, args);
}

/**
 * Each is also measured in CPU time, which others on the machine hardly change: of the daemon, of daemon, monitors and
 * pod together, and of the client, which is this program. A machine with two cores cannot be faster than half of the
 * last two together.
 */
const THROUGHPUTS = ['execOutput', 'forwardDown', 'forwardUp'] as const;
const CPU_SHARES = ['Daemon', 'Group', 'Client'] as const;
type Throughput = (typeof THROUGHPUTS)[number];
type CpuShare = (typeof CPU_SHARES)[number];
type Measure = Throughput | `${Throughput}${CpuShare}` | 'execMs' | 'execSyncMs' | 'execSyncCpu';

const THROUGHPUT_LABELS: Record<Throughput, string> = {
  execOutput: 'output of exec',
  forwardDown: 'port-forward from the pod',
  forwardUp: 'port-forward to the pod',
};

const SHARE_LABELS: Record<CpuShare, string> = {
  Daemon: 'CPU ms/GiB, daemon',
  Group: 'CPU ms/GiB, with monitors and pod',
  Client: 'CPU ms/GiB, client',
};

const LABELS: ReadonlyMap<Measure, string> = new Map<Measure, string>([
  ...THROUGHPUTS.flatMap((name): [Measure, string][] => [
    [name, `${THROUGHPUT_LABELS[name]}, MB/s`],
    ...CPU_SHARES.map((share): [Measure, string] => [`${name}${share}`, `  ${SHARE_LABELS[share]}`]),
  ]),
  ['execMs', 'exec of "true" to its status, ms'],
  ['execSyncMs', 'ExecSync of "true", ms'],
  ['execSyncCpu', '  CPU ms, with monitors and pod'],
]);
const MEASURES = [...LABELS.keys()];

interface Result {
  readonly runtime: string;
  readonly summaries: Readonly<Partial<Record<Measure, Summary>>>;
  readonly endurance: Endurance | undefined;
}

const GIBIBYTE = 1024 ** 3;

/** Ports within the pod. */
const [GIVES, TAKES] = [7001, 7002] as const;

/** One container, with one server that sends without end and one that reads to the end. */
const SERVERS = [
  'sh',
  '-c',
  `nc -ll -p ${GIVES} -e cat /dev/zero & exec nc -ll -p ${TAKES} -e sh -c 'cat >/dev/null'`,
];

interface Subject {
  readonly target: Target;
  readonly pod: Pod;
  readonly values: ReadonlyMap<Measure, number[]>;
}

async function measure(run: BenchRun, options: StreamBenchOptions): Promise<Result[]> {
  const subjects = await startAll(run, options);
  for (let round = 0; round < options.rounds; round++) {
    say(`throughput, round ${round + 1}`);
    for (const subject of subjects) await throughput(subject, options.mebibytes * 1024 * 1024);
  }
  say(`${options.execs} times "true"`);
  for (let i = 0; i < options.execs; i++) for (const subject of subjects) await latency(subject);
  const results: Result[] = [];
  for (const { target, pod, values } of subjects) {
    const { minutes } = options;
    if (minutes > 0) say(`${target.name}: execs for ${minutes} minutes`);
    const endurance = minutes > 0 ? await endure(target, pod.containerId, options) : undefined;
    const summaries = Object.fromEntries(
      MEASURES.map((measure) => [measure, summarize(values.get(measure) ?? [])]),
    );
    results.push({ runtime: target.name, summaries, endurance });
  }
  return results;
}

async function startAll(run: BenchRun, { peer, handler }: StreamBenchOptions): Promise<Subject[]> {
  const names: RuntimeName[] = peer === 'containerd' ? ['davit', 'containerd'] : ['davit'];
  const subjects: Subject[] = [];
  for (const name of names) {
    const { target } = await startRuntime(run, name, { handler });
    const pod = await Pod.start(target, run.plan, `stream-${subjects.length}`, SERVERS);
    const values: Subject['values'] = new Map(MEASURES.map((measure) => [measure, []]));
    subjects.push({ target, pod, values });
  }
  return subjects;
}

async function throughput({ target, pod, values }: Subject, wanted: number): Promise<void> {
  const cmd = ['head', '-c', String(wanted), '/dev/zero'];
  const works: Record<Throughput, () => Promise<unknown>> = {
    execOutput: () => drainExec(target, pod.containerId, cmd),
    forwardDown: () => drainPort(target, pod.sandboxId, { port: GIVES, wanted }),
    forwardUp: () => feedPort(target, pod.sandboxId, { port: TAKES, wanted }),
  };
  for (const name of THROUGHPUTS) {
    const before = cpuMsOf(target);
    const tookMs = await timed(works[name]);
    const after = cpuMsOf(target);
    values.get(name)?.push(wanted / 1e3 / tookMs);
    for (const share of CPU_SHARES) {
      values.get(`${name}${share}`)?.push(((after[share] - before[share]) / wanted) * GIBIBYTE);
    }
  }
}

function cpuMsOf({ daemonPid = 0, group }: Target): Record<CpuShare, number> {
  return { Daemon: processCpuMs(daemonPid), Group: group?.usedMs() ?? NaN, Client: ownCpuMs() };
}

async function latency({ target, pod, values }: Subject): Promise<void> {
  values.get('execMs')?.push(await timed(() => drainExec(target, pod.containerId, ['true'])));
  const before = cpuMsOf(target);
  values.get('execSyncMs')?.push(await timed(() => pod.exec()));
  values.get('execSyncCpu')?.push(cpuMsOf(target).Group - before.Group);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

function toLines({ runtime, summaries, endurance }: Result): string {
  const lines = MEASURES.map((measure) => {
    const { median, p10, p90 } = summaries[measure] ?? { median: NaN, p10: NaN, p90: NaN };
    return `  ${(LABELS.get(measure) ?? '').padEnd(36)} ${median.toFixed(1)} (${p10.toFixed(1)} to ${p90.toFixed(1)})`;
  });
  if (endurance !== undefined) {
    lines.push(`  execs: ${endurance.execs}, ${endurance.perSecond.toFixed(1)} per second`);
    for (const [name, { first, last, slope }] of Object.entries(endurance.trends)) {
      lines.push(
        `  ${name.padEnd(36)} ${first.toFixed(1)} to ${last.toFixed(1)}, ${slope.toFixed(2)} per minute`,
      );
    }
  }
  return `${runtime}\n${lines.join('\n')}\n`;
}
