// The socket on which the kubelet's cAdvisor takes Davit for containerd, if there is to be one.

import type { Log } from '../../pkg/base/call.ts';
import type { Config } from '../../pkg/config/config.ts';
import { cadvisorServices } from '../../pkg/server/cadvisor/cadvisor-services.ts';
import type { ServerDeps } from '../../pkg/server/deps.ts';
import { GrpcServer } from '../../pkg/server/serve.ts';

/** @throws {Fault} as `GrpcServer.listen()` */
export async function openCadvisor(
  { socket: socketPath }: Config['cadvisor'],
  deps: ServerDeps,
  log: Log,
): Promise<AsyncDisposableStack> {
  await using opened = new AsyncDisposableStack();
  if (socketPath === '') return opened.move();
  opened.use(await GrpcServer.listenFor({ socketPath, log }, cadvisorServices(deps)));
  log.info({ socket: socketPath }, 'serving cAdvisor');
  return opened.move();
}
