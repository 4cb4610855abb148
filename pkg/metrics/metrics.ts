// All metrics of the daemon in one registry, from which the text that Prometheus reads is made.

import { Registry } from 'prom-client';
import { NodeMetrics, type NodeFacts } from './node-metrics.ts';
import { OwnMetrics } from './own-metrics.ts';

export interface MetricDescription {
  readonly name: string;
  readonly help: string;
  /** `counter`, `gauge` or `histogram`. */
  readonly kind: string;
  readonly labelKeys: readonly string[];
}

/** What the registry hands out are the metrics themselves; its types do not say so, and have other names for kinds. */
interface DefinedMetric {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly labelNames: readonly string[];
}

export class Metrics implements Disposable {
  /** Where work that is over is counted. */
  readonly own: OwnMetrics;
  readonly #registry = new Registry();
  readonly #version: string;
  #node: NodeMetrics | undefined;

  constructor(version: string) {
    this.#version = version;
    this.own = new OwnMetrics(this.#registry);
  }

  /** Adds what is only looked at when asked; once, when everything is there to be looked at. */
  follow(facts: NodeFacts): void {
    this.#node ??= new NodeMetrics(this.#registry, facts, this.#version);
  }

  /** In the order of their names. */
  list(): MetricDescription[] {
    const found = this.#registry.getMetricsAsArray().map((metric) => {
      const { name, help, type, labelNames } = metric as unknown as DefinedMetric;
      return { name, help, kind: type, labelKeys: labelNames };
    });
    return found.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** In the text format of Prometheus, version 0.0.4. */
  async text(): Promise<string> {
    return await this.#registry.metrics();
  }

  [Symbol.dispose](): void {
    this.#node?.[Symbol.dispose]();
  }
}
