// docs/metrics.md, made from the definitions of the metrics.

import { BASE_LABEL_KEYS, METRIC_DESCRIPTIONS } from '../../../pkg/stats/metrics/catalogue.ts';
import { Metrics, type MetricDescription } from '../../../pkg/metrics/metrics.ts';
import { expositionKind } from '../../../pkg/server/stats/pod-exposition.ts';

/** All that Davit ever tells Prometheus. */
export function allMetrics(): { own: MetricDescription[]; pods: MetricDescription[] } {
  using metrics = new Metrics('');
  metrics.follow({
    operations: () => [],
    containers: () => [],
    sandboxes: () => [],
    images: () => 0,
    imageBytes: () => Promise.resolve(0),
    storeBytes: () => Promise.resolve(2048),
  });
  const pods = METRIC_DESCRIPTIONS.map(({ name, help, kind, labelKeys }) => ({
    name,
    help,
    kind: expositionKind(name, kind),
    labelKeys,
  }));
  return { own: metrics.list(), pods };
}

export function metricsDocument(): string {
  const { own, pods } = allMetrics();
  return `# Metrics

Davit tells Prometheus about itself and about the pods of its node. It listens when it is given an address, on
loopback, on a unix socket, or with TLS anywhere:

\`\`\`toml
[metrics]
address = "127.0.0.1:9102"
\`\`\`

There is \`GET /metrics\` and nothing else. \`deploy/grafana-davit.json\` is a dashboard, and
\`deploy/alerts.yaml\` has rules for what deserves a look. This page is made from the definitions:
\`npx vitest run --project unit cmd/davit/metrics.test.ts -u\` writes it anew.

## The daemon

Labels come from closed lists: methods of the CRI, commands, plugins, codes of failures. No label is an id, an
image or a pod, so that the number of series does not grow with the node's work.

${own.map(line).join('\n')}

## Pods and containers

The names are those of the kubelet's cAdvisor, and so are the meanings; the values are those of the CRI's
metrics, but with fractions. Each row has the labels ${BASE_LABEL_KEYS.map((key) => `\`${key}\``).join(', ')},
and those named below. What concerns the pod as a whole, such as its network, has the container \`POD\`. Where
a name has \`_total\` though it is no counter, or lacks it though it is one, the type is left open: Prometheus
would complain otherwise.

Each question costs a sample of every running container, at most one a second. A node with 250 containers has
some 13,000 rows; whoever lets the kubelet's \`/metrics/cadvisor\` or CRI metrics be scraped as well has them
twice.

${pods.map(line).join('\n')}
`;
}

function line({ name, help, kind, labelKeys }: MetricDescription): string {
  const labels = labelKeys.length === 0 ? '' : `; ${labelKeys.map((key) => `\`${key}\``).join(', ')}`;
  return `- \`${name}\` (${kind}${labels}): ${help}`;
}
