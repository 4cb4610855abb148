// What a metric is: its description, and how it is read from what is known. Descriptions and samples come from the
// same definition, so that they cannot disagree. Names are cAdvisor's, which dashboards know.

export interface MetricSample {
  /** As many as the metric has label keys, in their order. */
  readonly labels: readonly string[];
  readonly value: number;
}

export interface Metric<Subject> {
  readonly name: string;
  readonly help: string;
  readonly kind: 'counter' | 'gauge';
  /** Besides those that all have. */
  readonly labelKeys: readonly string[];
  readonly read: (subject: Subject) => readonly MetricSample[];
}

/** What the builders below take of each metric; without labels it has one sample. */
type Value<Subject> = (subject: Subject) => bigint | number;

const NO_LABELS: readonly string[] = [];

export function counter<Subject>(name: string, help: string, value: Value<Subject>): Metric<Subject> {
  return { name, help, kind: 'counter', labelKeys: NO_LABELS, read: (subject) => one(value(subject)) };
}

export function gauge<Subject>(name: string, help: string, value: Value<Subject>): Metric<Subject> {
  return { name, help, kind: 'gauge', labelKeys: NO_LABELS, read: (subject) => one(value(subject)) };
}

function one(value: bigint | number): MetricSample[] {
  return [{ labels: NO_LABELS, value: Number(value) }];
}

export function sample(value: bigint | number, ...labels: readonly string[]): MetricSample {
  return { labels, value: Number(value) };
}

export function toSeconds(ns: bigint): number {
  return Number(ns) / 1e9;
}
