// davitctl pods: lists pod sandboxes.

import { PodSandboxState, podSandboxStateName, type PodSandbox } from '../../api/cri/generated/types.ts';
import { define, type Invocation } from './define.ts';
import { UsageError } from './explain.ts';
import { ASK } from './find.ts';
import { age, shortId, stateText, toJson } from './format.ts';
import { parsePairs } from './labels.ts';
import { table } from './table.ts';

const OPTIONS = {
  quiet: { type: 'boolean', short: 'q', about: 'print ids only, whole' },
  wide: { type: 'boolean', short: 'w', about: 'show addresses too, which asks for each pod' },
  name: { type: 'string', about: 'only pods with this name' },
  namespace: { type: 'string', short: 'n', about: 'only pods in this namespace' },
  label: { type: 'string', short: 'l', multiple: true, value: 'NAME=VALUE', about: 'only with this label' },
  state: { type: 'string', value: 'ready|notready', about: 'only pods in this state' },
} as const;

export const pods = define({
  name: 'pods',
  summary: 'list pods',
  synopsis: '[OPTIONS]',
  options: OPTIONS,
  examples: [
    ['pods', 'all pods of this node'],
    ['pods --wide', 'with their addresses'],
    ['pods -n kube-system --state ready', 'those of a namespace that are ready'],
    ['pods -q --state notready', 'ids, to feed to davitctl rmp'],
  ],
  args: { min: 0, max: 0 },
  run: listPods,
});

async function listPods({ cri, io, json, values }: Invocation<typeof OPTIONS>): Promise<number> {
  const labelSelector = parsePairs('--label', values.label);
  const filter = { labelSelector, state: stateFilter(values.state) };
  const { items } = await cri.listPodSandbox({ filter }, ASK);
  const wanted = items
    .filter(({ metadata }) => values.name === undefined || metadata?.name === values.name)
    .filter(({ metadata }) => values.namespace === undefined || metadata?.namespace === values.namespace)
    .toSorted((a, b) => Number(b.createdAt - a.createdAt));
  if (json) io.out(toJson(wanted.map((pod) => ({ ...pod, state: podSandboxStateName(pod.state) }))));
  else if (values.quiet === true) wanted.map(({ id }) => id).forEach(io.out);
  else {
    const addresses = values.wide === true ? await addressesOf(cri, wanted) : undefined;
    table([heading(addresses), ...wanted.map((pod) => row(pod, io.now(), addresses))]).forEach(io.out);
  }
  return 0;
}

function stateFilter(text: string | undefined): { state: PodSandboxState } | undefined {
  if (text === undefined) return undefined;
  if (text === 'ready') return { state: PodSandboxState.SANDBOX_READY };
  if (text === 'notready') return { state: PodSandboxState.SANDBOX_NOTREADY };
  throw new UsageError(`--state is ready or notready, not "${text}"`);
}

/** By pod id. Of a pod that goes away meanwhile there is none. */
async function addressesOf(
  cri: Invocation<typeof OPTIONS>['cri'],
  wanted: readonly PodSandbox[],
): Promise<ReadonlyMap<string, string>> {
  const pairs = wanted.map(async ({ id }): Promise<[string, string]> => {
    const { status } = await cri
      .podSandboxStatus({ podSandboxId: id }, ASK)
      .catch(() => ({ status: undefined }));
    const { ip = '', additionalIps = [] } = status?.network ?? {};
    return [id, [ip, ...additionalIps.map((address) => address.ip)].join(',')];
  });
  return new Map(await Promise.all(pairs));
}

function heading(addresses: unknown): string[] {
  const columns = ['POD ID', 'NAME', 'NAMESPACE', 'STATE', 'AGE', 'ATTEMPT', 'RUNTIME'];
  return addresses === undefined ? columns : [...columns, 'ADDRESS'];
}

function row(pod: PodSandbox, nowMs: number, addresses: ReadonlyMap<string, string> | undefined): string[] {
  const { id, metadata, state, createdAt, runtimeHandler } = pod;
  const cells = [
    shortId(id),
    metadata?.name ?? '',
    metadata?.namespace ?? '',
    stateText(podSandboxStateName(state)),
    age(createdAt, nowMs),
    String(metadata?.attempt ?? 0),
    runtimeHandler === '' ? '(default)' : runtimeHandler,
  ];
  return addresses === undefined ? cells : [...cells, addresses.get(id) ?? ''];
}
