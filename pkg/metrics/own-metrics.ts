// The daemon's own metrics: what it counts of its work. Labels are method names, commands, plugin types and codes of
// faults: closed lists, or what the operator has installed; never an id, an image or a pod.

import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Outcome } from '../base/outcome.ts';

/** From an answer out of memory to a pull over a slow line, in seconds. */
const WORK_BUCKETS = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 120, 600];
/** From a batch in the disk's cache to a disk in trouble, in seconds. */
const COMMIT_BUCKETS = [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 10];

/** What a pull did with the layers of its image. */
export interface PulledLayers {
  readonly fetched: number;
  /** Already here. */
  readonly shared: number;
  /** Of those fetched, as they came. */
  readonly fetchedBytes: number;
}

export class OwnMetrics {
  readonly #rpcSeconds: Histogram<'method'>;
  readonly #rpcs: Counter<'method' | 'code'>;
  readonly #cniSeconds: Histogram<'plugin' | 'command'>;
  readonly #cniFailures: Counter<'plugin' | 'command' | 'code'>;
  readonly #runtimeSeconds: Histogram<'program' | 'command'>;
  readonly #runtimeFailures: Counter<'program' | 'command' | 'code'>;
  readonly #commitSeconds: Histogram;
  readonly #commitFailures: Counter;
  readonly #pullSeconds: Histogram;
  readonly #pulls: Counter<'code'>;
  readonly #pullBytes: Counter;
  readonly #pullLayers: Counter<'how'>;
  readonly #pullRetries: Counter;
  readonly #exits: Counter<'reason'>;
  readonly #logBytesDropped: Counter;
  readonly #monitorsLost: Counter;
  readonly #findings: Gauge<'kind'>;

  constructor(registry: Registry) {
    const counter = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
      new Counter({ name, help, labelNames, registers: [registry] });
    const histogram = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
      new Histogram({ name, help, labelNames, registers: [registry], buckets: WORK_BUCKETS });
    this.#rpcSeconds = histogram('davit_rpc_duration_seconds', 'How long RPCs took.', 'method');
    this.#rpcs = counter('davit_rpcs_total', 'RPCs that are over, by outcome.', 'method', 'code');
    this.#cniSeconds = histogram('davit_cni_duration_seconds', 'How long plugins ran.', 'plugin', 'command');
    this.#cniFailures = counter(
      'davit_cni_failures_total',
      'Runs of network plugins that failed.',
      ...(['plugin', 'command', 'code'] as const),
    );
    this.#runtimeSeconds = histogram(
      'davit_runtime_duration_seconds',
      'How long calls of the OCI runtime and of the container monitor took.',
      ...(['program', 'command'] as const),
    );
    this.#runtimeFailures = counter(
      'davit_runtime_failures_total',
      'Calls of the OCI runtime and of the container monitor that were not made to the end.',
      ...(['program', 'command', 'code'] as const),
    );
    this.#commitSeconds = new Histogram({
      name: 'davit_store_commit_duration_seconds',
      help: 'How long durable writes to the database took.',
      registers: [registry],
      buckets: COMMIT_BUCKETS,
    });
    this.#commitFailures = counter('davit_store_commit_failures_total', 'Failed writes to the database.');
    this.#pullSeconds = histogram('davit_image_pull_duration_seconds', 'How long image pulls took.');
    this.#pulls = counter('davit_image_pulls_total', 'Image pulls that are over, by outcome.', 'code');
    this.#pullBytes = counter('davit_image_pull_bytes_total', 'Layers fetched by pulls, as they came.');
    this.#pullLayers = counter(
      'davit_image_pull_layers_total',
      'Layers of pulled images: fetched, or shared with an image that was here.',
      'how',
    );
    this.#pullRetries = counter(
      'davit_image_pull_retries_total',
      'Requests for layers after the first, to the same host or the next.',
    );
    this.#exits = counter('davit_container_exits_total', 'Containers that ended, by reason.', 'reason');
    this.#logBytesDropped = counter(
      'davit_container_log_dropped_bytes_total',
      'Output of containers that was dropped because the log could not be written, at the least.',
    );
    this.#monitorsLost = counter(
      'davit_monitors_lost_total',
      'Monitors that ended before their containers, which go on without one.',
    );
    this.#findings = new Gauge({
      name: 'davit_findings',
      help: 'What is wrong on the node and was not repaired, as of the last look.',
      labelNames: ['kind'],
      registers: [registry],
    });
  }

  rpc(method: string, code: Outcome, tookMs: number): void {
    this.#rpcSeconds.observe({ method }, tookMs / 1000);
    this.#rpcs.inc({ method, code });
  }

  cni({ plugin, command }: { plugin: string; command: string }, code: Outcome, tookMs: number): void {
    this.#cniSeconds.observe({ plugin, command }, tookMs / 1000);
    if (code !== 'ok') this.#cniFailures.inc({ plugin, command, code });
  }

  /** @param program `oci-runtime` or `monitor` */
  runtime({ program, command }: { program: string; command: string }, code: Outcome, tookMs: number): void {
    this.#runtimeSeconds.observe({ program, command }, tookMs / 1000);
    if (code !== 'ok') this.#runtimeFailures.inc({ program, command, code });
  }

  commit(code: Outcome, tookMs: number): void {
    this.#commitSeconds.observe(tookMs / 1000);
    if (code !== 'ok') this.#commitFailures.inc();
  }

  pull(code: Outcome, tookMs: number): void {
    this.#pullSeconds.observe(tookMs / 1000);
    this.#pulls.inc({ code });
  }

  layers({ fetched, shared, fetchedBytes }: PulledLayers): void {
    this.#pullLayers.inc({ how: 'fetched' }, fetched);
    this.#pullLayers.inc({ how: 'shared' }, shared);
    this.#pullBytes.inc(fetchedBytes);
  }

  logDropped(bytes: number): void {
    this.#logBytesDropped.inc(bytes);
  }

  /** Also one that had ended before the daemon was started. */
  monitorLost(): void {
    this.#monitorsLost.inc();
  }

  /** @param counts of every kind, those that are 0 too */
  findings(counts: ReadonlyMap<string, number>): void {
    for (const [kind, count] of counts) this.#findings.set({ kind }, count);
  }

  pullRetries(count: number): void {
    this.#pullRetries.inc(count);
  }

  /** @param reason as the status of the container has it: `Completed`, `OOMKilled` */
  containerExit(reason: string): void {
    this.#exits.inc({ reason });
  }
}
