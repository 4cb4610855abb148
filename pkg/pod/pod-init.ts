// The init of a pod whose containers share one pid namespace: a container of its own, named after the sandbox.

import { join } from 'node:path';
import { chown, writeFile } from 'node:fs/promises';
import type { Call } from '../base/call.ts';
import { cgroupsPath, type CgroupDriver } from '../runtime/cgroup-path.ts';
import type { ExitWatch } from '../runtime/exit-watch.ts';
import type { RuntimeHandlers } from '../runtime/handlers.ts';
import { buildInitSpec } from '../runtime/init-spec.ts';
import { encodeOciJson } from '../runtime/oci-json.ts';
import type { OciCli } from '../runtime/runtime-cli.ts';
import type { Shim } from '../runtime/shim.ts';
import { sandboxPaths } from '../sandbox/paths.ts';
import { podUsers } from '../sandbox/pod-users.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { PodInit } from '../sandbox/steps.ts';
import { ensureDirectory, removeTree } from '../sys/files.ts';
import { bindMount, unmount } from '../sys/mount.ts';
import type { IdMapping } from '../sys/user-namespace.ts';

export interface PodInitOptions {
  readonly runDir: string;
  /** A static init that takes `-P`: catatonit. */
  readonly program: string;
  readonly handlers: RuntimeHandlers;
  readonly shim: Pick<Shim, 'create'>;
  readonly cli: Pick<OciCli, 'start' | 'delete'>;
  readonly exits: Pick<ExitWatch, 'forget'>;
  readonly cgroup: { readonly driver: CgroupDriver; readonly parent: string; readonly version: 1 | 2 };
  readonly oomScoreAdj: number;
}

export class OciPodInit implements PodInit {
  readonly #options: PodInitOptions;

  constructor(options: PodInitOptions) {
    this.#options = options;
  }

  /** Its pid namespace is pinned beside the others, under the name `pid`. */
  async start(call: Call, sandbox: Sandbox): Promise<void> {
    const { runDir, handlers, shim, cli } = this.#options;
    const { init: bundle, namespaces } = sandboxPaths(runDir, sandbox.id);
    await this.remove(call, sandbox); // what an earlier try has left
    await this.#writeBundle(bundle, sandbox);
    const handler = handlers.get(sandbox.config.handler);
    const options = { tty: false, stdin: false, stdinOnce: false };
    const { process } = await shim.create(call, { id: sandbox.id, bundle, handler, ...options });
    const pin = join(namespaces, 'pid');
    await writeFile(pin, '', { mode: 0o600 });
    bindMount(`/proc/${process.pid}/ns/pid`, pin);
    await cli.start(call, handler, sandbox.id);
  }

  async remove(call: Call, { id, config }: Sandbox): Promise<void> {
    const { runDir, handlers, cli, exits } = this.#options;
    await cli.delete(call, handlers.get(config.handler), id, { force: true });
    await exits.forget(id);
    const { init: bundle, namespaces } = sandboxPaths(runDir, id);
    unmount(join(namespaces, 'pid'));
    await removeTree(bundle);
  }

  async #writeBundle(bundle: string, { id, config, selinux }: Sandbox): Promise<void> {
    const { runDir, program, cgroup, oomScoreAdj } = this.#options;
    const rootfs = join(bundle, 'rootfs');
    const users = podUsers(runDir, { id, config });
    await ensureDirectory(bundle, users === undefined ? 0o700 : 0o710);
    await ensureDirectory(rootfs, 0o755);
    if (users !== undefined) await giveToRuntime(bundle, rootfs, users.mapping);
    const pinned = (type: string) => join(sandboxPaths(runDir, id).namespaces, type);
    const parent = config.cgroupParent === '' ? cgroup.parent : config.cgroupParent;
    const spec = buildInitSpec({
      id,
      initPath: program,
      rootfs,
      namespaces: {
        net: config.network === 'pod' ? pinned('net') : 'host',
        uts: config.network === 'pod' ? pinned('uts') : 'host',
        ipc: config.ipc === 'pod' ? pinned('ipc') : 'host',
        users,
      },
      cgroupVersion: cgroup.version,
      cgroupsPath: cgroupsPath(cgroup.driver, parent, id).spec,
      oomScoreAdj,
      selinux: selinux && config.privileged ? { mount: selinux.mount } : selinux,
    });
    await writeFile(join(bundle, 'config.json'), encodeOciJson(spec), { mode: 0o600 });
  }
}

/** As root of the pod it makes mount points in the root file system, and has to get there. */
async function giveToRuntime(bundle: string, rootfs: string, { hostId }: IdMapping): Promise<void> {
  await chown(bundle, 0, hostId);
  await chown(rootfs, hostId, hostId);
}
