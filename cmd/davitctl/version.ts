// davitctl version: who answers on the socket.

import { define } from './define.ts';
import { ASK } from './find.ts';
import { toJson } from './format.ts';
import { table } from './table.ts';

export const version = define({
  name: 'version',
  summary: 'show the version of the runtime',
  synopsis: '[OPTIONS]',
  options: {},
  examples: [
    ['version', 'who answers'],
    ['--socket /run/containerd/containerd.sock version', 'who answers on another socket'],
  ],
  args: { min: 0, max: 0 },
  async run({ cri, io, json }) {
    const answer = await cri.version({ version: 'v1' }, ASK);
    if (json) io.out(toJson(answer));
    else {
      table([
        ['runtime', answer.runtimeName],
        ['version', answer.runtimeVersion],
        ['CRI', answer.runtimeApiVersion],
      ]).forEach(io.out);
    }
    return 0;
  },
});
