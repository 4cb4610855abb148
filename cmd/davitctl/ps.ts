// davitctl ps: lists containers.

import { ContainerState, containerStateName, type Container } from '../../api/cri/generated/types.ts';
import { define, type Invocation } from './define.ts';
import { ASK, getPod } from './find.ts';
import { age, shortId, stateText, toJson } from './format.ts';
import { parsePairs, POD_NAME_LABEL } from './labels.ts';
import { table } from './table.ts';

const OPTIONS = {
  all: { type: 'boolean', short: 'a', about: 'also those that do not run' },
  quiet: { type: 'boolean', short: 'q', about: 'print ids only, whole' },
  pod: { type: 'string', short: 'p', value: 'POD', about: 'only containers of this pod' },
  name: { type: 'string', about: 'only containers with this name' },
  label: { type: 'string', short: 'l', multiple: true, value: 'NAME=VALUE', about: 'only with this label' },
} as const;

export const ps = define({
  name: 'ps',
  summary: 'list containers',
  synopsis: '[OPTIONS]',
  options: OPTIONS,
  examples: [
    ['ps', 'what runs'],
    ['ps -a', 'what runs and what has run'],
    ['ps -a --pod web', 'the containers of one pod'],
    ['ps -aq --name init', 'ids of containers with a name, to feed to davitctl rm'],
  ],
  args: { min: 0, max: 0 },
  run: listContainers,
});

async function listContainers({ cri, io, json, values }: Invocation<typeof OPTIONS>): Promise<number> {
  const podSandboxId = values.pod === undefined ? '' : (await getPod(cri, values.pod)).id;
  const state = values.all === true ? undefined : { state: ContainerState.CONTAINER_RUNNING };
  const labelSelector = parsePairs('--label', values.label);
  const { containers } = await cri.listContainers({ filter: { podSandboxId, state, labelSelector } }, ASK);
  const wanted = containers
    .filter(({ metadata }) => values.name === undefined || metadata?.name === values.name)
    .toSorted((a, b) => Number(b.createdAt - a.createdAt));
  if (json) io.out(toJson(wanted.map((item) => ({ ...item, state: containerStateName(item.state) }))));
  else if (values.quiet === true) wanted.map(({ id }) => id).forEach(io.out);
  else {
    const names = await namesOf(cri);
    table([HEADING, ...wanted.map((container) => row(container, io.now(), names))]).forEach(io.out);
  }
  return 0;
}

interface Names {
  readonly pods: ReadonlyMap<string, string>;
  readonly images: ReadonlyMap<string, string>;
}

async function namesOf(cri: Invocation<typeof OPTIONS>['cri']): Promise<Names> {
  const [{ items }, { images }] = await Promise.all([cri.listPodSandbox({}, ASK), cri.listImages({}, ASK)]);
  return {
    pods: new Map(items.map((pod) => [pod.id, pod.metadata?.name ?? ''])),
    images: new Map(images.map((image) => [image.id, image.repoTags[0] ?? ''])),
  };
}

const HEADING = ['CONTAINER ID', 'NAME', 'IMAGE', 'STATE', 'AGE', 'ATTEMPT', 'POD', 'POD ID'];

function row(container: Container, nowMs: number, names: Names): string[] {
  const { id, podSandboxId, metadata, state, createdAt, labels } = container;
  return [
    shortId(id),
    metadata?.name ?? '',
    imageName(container, names),
    stateText(containerStateName(state)),
    age(createdAt, nowMs),
    String(metadata?.attempt ?? 0),
    names.pods.get(podSandboxId) ?? labels[POD_NAME_LABEL] ?? '',
    shortId(podSandboxId),
  ];
}

/** The kubelet names images by their ids; people do not. */
function imageName({ image, imageId, imageRef }: Container, names: Names): string {
  const given = image?.image ?? imageRef;
  const name = [imageId, imageRef, given].map((id) => names.images.get(id) ?? '').find((text) => text !== '');
  return name ?? (given.startsWith('sha256:') ? shortId(given) : given);
}
