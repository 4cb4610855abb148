// davitctl rmp: removes pods with all their containers.

import { PodSandboxState, type PodSandbox } from '../../api/cri/generated/types.ts';
import { Fault } from '../../pkg/base/fault.ts';
import { define, type Invocation } from './define.ts';
import { UsageError } from './explain.ts';
import { ASK, getPod } from './find.ts';
import { removeOwnLog, removePod } from './own-pod.ts';

const OPTIONS = {
  all: { type: 'boolean', short: 'a', about: 'all that are not ready; with --force those that are, too' },
  force: { type: 'boolean', short: 'f', about: 'stop what is ready' },
} as const;

export const rmp = define({
  name: 'rmp',
  summary: 'remove pods with all their containers',
  synopsis: '[OPTIONS] POD...',
  options: OPTIONS,
  examples: [
    ['rmp web', 'one that is stopped'],
    ['rmp -f web', 'one that may be ready'],
    ['rmp -a', 'all that are stopped'],
  ],
  completes: 'pods',
  args: { min: 0, max: Infinity },
  run: removePods,
});

async function removePods({ cri, io, values, args }: Invocation<typeof OPTIONS>): Promise<number> {
  if ((args.length === 0) !== (values.all === true)) throw new UsageError('name pods, or use --all');
  const force = values.force === true;
  const wanted = new Map<string, PodSandbox>();
  for (const name of args) wanted.set(name, await getPod(cri, name));
  if (values.all === true) {
    const { items } = await cri.listPodSandbox({}, ASK);
    for (const pod of items) if (force || !isReady(pod)) wanted.set(pod.id, pod);
  }
  for (const [name, pod] of wanted) {
    if (isReady(pod) && !force) {
      throw new Fault('failed_precondition', `pod "${name}" is ready: stop it first, or use --force`);
    }
    await removePod(cri, pod.id);
    await removeOwnLog(pod);
    io.out(name);
  }
  return 0;
}

function isReady({ state }: PodSandbox): boolean {
  return state === PodSandboxState.SANDBOX_READY;
}
