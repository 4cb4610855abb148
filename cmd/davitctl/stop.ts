// davitctl stop: stops containers, or pods with all their containers.

import { Fault } from '../../pkg/base/fault.ts';
import { define, type Invocation } from './define.ts';
import { parseSeconds } from './exec.ts';
import { findContainer, getPod } from './find.ts';

const OPTIONS = {
  timeout: { type: 'string', short: 't', value: 'SECONDS', about: 'until SIGKILL; 10 when not given' },
  pod: { type: 'boolean', about: 'NAME is a pod' },
} as const;

export const stop = define({
  name: 'stop',
  summary: 'stop containers or pods',
  synopsis: '[OPTIONS] NAME...',
  about:
    'A container gets its stop signal, and SIGKILL when the time is over. NAME is looked for among the\n' +
    'containers, then the pods; a stopped pod has no network any more.',
  options: OPTIONS,
  examples: [
    ['stop web', 'the container web, or else the pod'],
    ['stop -t 0 web', 'at once'],
    ['stop --pod web', 'the pod'],
  ],
  completes: 'containers',
  args: { min: 1, max: Infinity },
  run: stopAll,
});

async function stopAll({ cri, io, values, args }: Invocation<typeof OPTIONS>): Promise<number> {
  const timeout = parseSeconds('--timeout', values.timeout ?? '10');
  for (const name of args) {
    const container = values.pod === true ? undefined : await findContainer(cri, name);
    if (container !== undefined) {
      await cri.stopContainer({ containerId: container.id, timeout }, { signal: io.signal });
    } else {
      const { id } = await getPod(cri, name).catch((thrown: unknown) => {
        if (values.pod === true || !Fault.is(thrown, 'not_found')) throw thrown;
        throw new Fault(
          'not_found',
          `there is no container or pod "${name}"; see davitctl ps and davitctl pods`,
        );
      });
      await cri.stopPodSandbox({ podSandboxId: id }, { signal: io.signal });
    }
    io.out(name);
  }
  return 0;
}
