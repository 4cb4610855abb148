// davitctl inspect: all that the runtime knows of a container, a pod or an image.

import { containerStateName, podSandboxStateName } from '../../api/cri/generated/types.ts';
import { Fault } from '../../pkg/base/fault.ts';
import { define, type Invocation } from './define.ts';
import { UsageError } from './explain.ts';
import { ASK, findContainer, findImage, findPod } from './find.ts';
import { parseInfo, toJson } from './format.ts';

const OPTIONS = {
  type: {
    type: 'string',
    short: 't',
    value: 'container|pod|image',
    about: 'what is meant, when it may be several',
  },
} as const;

export const inspect = define({
  name: 'inspect',
  summary: 'show all that is known of a container, a pod or an image',
  synopsis: '[OPTIONS] NAME...',
  about: 'Prints JSON. NAME is looked for among the containers, then the pods, then the images.',
  options: OPTIONS,
  examples: [
    ['inspect web', 'the container web, or else the pod, or else the image'],
    ['inspect -t pod web', 'the pod, with its addresses'],
    ['inspect -t image busybox', 'the image'],
  ],
  completes: 'containers',
  args: { min: 1, max: Infinity },
  run: inspectAll,
});

async function inspectAll({ cri, io, values, args }: Invocation<typeof OPTIONS>): Promise<number> {
  const kinds = values.type === undefined ? ['container', 'pod', 'image'] : [values.type];
  const found: object[] = [];
  for (const name of args) found.push(await inspectOne(cri, kinds, name));
  io.out(toJson(found.length === 1 ? found[0] : found));
  return 0;
}

type Cri = Invocation<typeof OPTIONS>['cri'];

const LOOK: Readonly<Record<string, (cri: Cri, name: string) => Promise<object | undefined>>> = {
  async container(cri, name) {
    const found = await findContainer(cri, name);
    if (found === undefined) return undefined;
    const { status, info } = await cri.containerStatus({ containerId: found.id, verbose: true }, ASK);
    if (status === undefined) return undefined;
    return { kind: 'container', ...status, state: containerStateName(status.state), info: parseInfo(info) };
  },
  async pod(cri, name) {
    const found = await findPod(cri, name);
    if (found === undefined) return undefined;
    const { status, info } = await cri.podSandboxStatus({ podSandboxId: found.id, verbose: true }, ASK);
    if (status === undefined) return undefined;
    return { kind: 'pod', ...status, state: podSandboxStateName(status.state), info: parseInfo(info) };
  },
  async image(cri, name) {
    const found = await findImage(cri, name);
    if (found === undefined) return undefined;
    const { image, info } = await cri.imageStatus({ image: { image: found.id }, verbose: true }, ASK);
    return { kind: 'image', ...(image ?? found), info: parseInfo(info) };
  },
};

async function inspectOne(cri: Cri, kinds: readonly string[], name: string): Promise<object> {
  for (const kind of kinds) {
    const look = LOOK[kind];
    if (look === undefined) throw new UsageError(`--type is container, pod or image, not "${kind}"`);
    const found = await look(cri, name);
    if (found !== undefined) return found;
  }
  throw new Fault(
    'not_found',
    `there is no ${kinds.join(', ')} "${name}"; see davitctl ps -a, davitctl pods, davitctl images`,
  );
}
