// davitctl rm: removes containers.

import { ContainerState, type Container } from '../../api/cri/generated/types.ts';
import { Fault } from '../../pkg/base/fault.ts';
import { define, type Invocation } from './define.ts';
import { UsageError } from './explain.ts';
import { ASK, getContainer } from './find.ts';

const OPTIONS = {
  all: { type: 'boolean', short: 'a', about: 'all that do not run; with --force those that run, too' },
  force: { type: 'boolean', short: 'f', about: 'kill what runs' },
} as const;

export const rm = define({
  name: 'rm',
  summary: 'remove containers',
  synopsis: '[OPTIONS] CONTAINER...',
  options: OPTIONS,
  examples: [
    ['rm web', 'one that does not run'],
    ['rm -f web', 'one that may run'],
    ['rm -a', 'all that have run'],
  ],
  completes: 'containers',
  args: { min: 0, max: Infinity },
  run: removeContainers,
});

async function removeContainers({ cri, io, values, args }: Invocation<typeof OPTIONS>): Promise<number> {
  if ((args.length === 0) !== (values.all === true)) throw new UsageError('name containers, or use --all');
  const force = values.force === true;
  const wanted = new Map<string, Container>();
  for (const name of args) wanted.set(name, await getContainer(cri, name));
  if (values.all === true) {
    const { containers } = await cri.listContainers({}, ASK);
    for (const container of containers) if (force || !runs(container)) wanted.set(container.id, container);
  }
  for (const [name, container] of wanted) {
    if (runs(container) && !force) {
      throw new Fault('failed_precondition', `container "${name}" is running: stop it first, or use --force`);
    }
    await cri.removeContainer({ containerId: container.id }, { signal: io.signal });
    io.out(name);
  }
  return 0;
}

function runs({ state }: Container): boolean {
  return state === ContainerState.CONTAINER_RUNNING;
}
