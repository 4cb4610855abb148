// What is looked at when somebody asks: what the daemon has, what it is at, and what it takes of the machine.

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Gauge, Counter, type Registry } from 'prom-client';

/** What there is at this moment. */
export interface NodeFacts {
  /** The RPCs under way. */
  readonly operations: () => Iterable<{ readonly method: string; readonly ageSeconds: number }>;
  /** A phase for each container, and for each sandbox. */
  readonly containers: () => Iterable<string>;
  readonly sandboxes: () => Iterable<string>;
  readonly images: () => number;
  readonly imageBytes: () => Promise<number>;
  readonly storeBytes: () => Promise<number>;
  /** How often the event loop is looked at. */
  readonly loopResolutionMs?: number;
}

/** How often the event loop is looked at, in milliseconds, unless told otherwise: each time wakes the processor. */
export const LOOP_RESOLUTION_MS = 50;

export class NodeMetrics implements Disposable {
  readonly #delay: ReturnType<typeof monitorEventLoopDelay>;

  constructor(registry: Registry, facts: NodeFacts, version: string) {
    const { loopResolutionMs = LOOP_RESOLUTION_MS } = facts;
    this.#delay = monitorEventLoopDelay({ resolution: loopResolutionMs });
    addBuildInfo(registry, version);
    addOperations(registry, facts);
    addStores(registry, facts);
    addProcess(registry);
    this.#addEventLoop(registry, loopResolutionMs);
    this.#delay.enable();
  }

  [Symbol.dispose](): void {
    this.#delay.disable();
  }

  /** Since it was asked last: a histogram of all time would hide what happens now. */
  #addEventLoop(registry: Registry, resolutionMs: number): void {
    const delay = this.#delay;
    new Gauge({
      name: 'davit_event_loop_delay_seconds',
      help: `How late the event loop was since the last scrape, looked at every ${resolutionMs} ms.`,
      labelNames: ['statistic'],
      registers: [registry],
      collect() {
        const late = (ns: number) => Math.max(0, ns / 1e9 - resolutionMs / 1000);
        this.set({ statistic: 'p50' }, late(delay.percentile(50)));
        this.set({ statistic: 'p99' }, late(delay.percentile(99)));
        this.set({ statistic: 'max' }, late(delay.max));
        delay.reset();
      },
    });
  }
}

function addBuildInfo(registry: Registry, version: string): void {
  new Gauge({
    name: 'davit_build_info',
    help: 'Always 1; the label tells the version of davit.',
    labelNames: ['version'],
    registers: [registry],
  }).set({ version }, 1);
}

function addOperations(registry: Registry, { operations }: NodeFacts): void {
  new Gauge({
    name: 'davit_operations_in_flight',
    help: 'RPCs under way.',
    labelNames: ['method'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { method } of operations()) this.inc({ method });
    },
  });
  new Gauge({
    name: 'davit_operation_oldest_age_seconds',
    help: 'Age of the oldest RPC under way.',
    labelNames: ['method'],
    registers: [registry],
    collect() {
      this.reset();
      const oldest = new Map<string, number>();
      for (const { method, ageSeconds } of operations())
        oldest.set(method, Math.max(ageSeconds, oldest.get(method) ?? 0));
      for (const [method, ageSeconds] of oldest) this.set({ method }, ageSeconds);
    },
  });
}

function addStores(registry: Registry, facts: NodeFacts): void {
  const addPhases = (name: string, help: string, phases: () => Iterable<string>) =>
    new Gauge({
      name,
      help,
      labelNames: ['phase'],
      registers: [registry],
      collect() {
        this.reset();
        for (const phase of phases()) this.inc({ phase });
      },
    });
  addPhases('davit_containers', 'Containers on the node, by phase.', facts.containers);
  addPhases('davit_sandboxes', 'Pod sandboxes on the node, by phase.', facts.sandboxes);
  addGauge(registry, 'davit_images', 'Images on the node.', facts.images);
  addGauge(registry, 'davit_store_bytes', 'What the database takes on the disk.', facts.storeBytes);
  addGauge(registry, 'davit_image_layers_bytes', 'What unpacked layers take on the disk.', facts.imageBytes);
}

function addProcess(registry: Registry): void {
  const startedAtSeconds = performance.timeOrigin / 1000;
  addGauge(
    registry,
    'davit_heap_bytes',
    'What lives in the heap of the daemon’s main thread.',
    () => process.memoryUsage().heapUsed,
  );
  addGauge(registry, 'process_resident_memory_bytes', 'Resident memory of the daemon.', () =>
    process.memoryUsage.rss(),
  );
  addGauge(
    registry,
    'process_start_time_seconds',
    'Start of the daemon since the Unix epoch.',
    () => startedAtSeconds,
  );
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'CPU time of the daemon, user and system.',
    registers: [registry],
    collect() {
      this.reset();
      const { user, system } = process.cpuUsage();
      this.inc((user + system) / 1e6);
    },
  });
}

function addGauge(
  registry: Registry,
  name: string,
  help: string,
  value: () => number | Promise<number>,
): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    async collect() {
      this.set(await value());
    },
  });
}
