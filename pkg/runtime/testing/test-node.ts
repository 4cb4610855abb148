// A place where containers of busybox can be made with the real conmon and a real OCI runtime, and a way to see
// that nothing of them is left.

import { randomBytes, randomInt } from 'node:crypto';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { silentLog, testCall } from '../../base/testing/call.ts';
import { effectiveCapabilities } from '../../sys/capability.ts';
import { Cgroups } from '../../sys/cgroup.ts';
import { cgroupOfItsOwn } from '../../sys/testing/cgroup-name.ts';
import { Conmon } from '../conmon.ts';
import { ExecCgroups } from '../exec-cgroup.ts';
import { ExecSession } from '../exec-session.ts';
import { execSync, type ExecResult } from '../exec-sync.ts';
import { ExitWatch, type ContainerExit } from '../exit-watch.ts';
import { encodeOciJson } from '../oci-json.ts';
import type { RuntimeHandler } from '../handlers.ts';
import { OciCli } from '../runtime-cli.ts';
import type { ShimProcesses, ShimRequest } from '../shim.ts';
import { buildContainerSpec, type ContainerSpecInput } from '../spec.ts';
import { runtimeHandler } from './handler.ts';
import { specInput } from './spec-input.ts';

/** Both runtimes; crun by way of a wrapper, because it refuses the cgroups of some test machines. */
export const RUNTIMES = {
  runc: '/usr/sbin/runc',
  crun: resolve(import.meta.dirname, '../../../test/crun-hybrid'),
} as const;

export interface TestContainer extends ShimProcesses {
  readonly id: string;
  readonly bundle: string;
  readonly logPath: string;
  readonly cgroupPath: string;
}

export interface TestOptions {
  readonly spec?: Partial<ContainerSpecInput>;
  readonly shim?: Partial<ShimRequest>;
}

/** How long anything in a test may take. */
const PATIENCE_MS = 30_000;

export class TestNode implements AsyncDisposable {
  readonly dir = mkdtempSync(join(tmpdir(), 'davit-test-'));
  readonly cgroupParent = cgroupOfItsOwn();
  readonly exitDir = join(this.dir, 'exits');
  readonly cli = new OciCli({ swapAccounting: false });
  readonly conmon = new Conmon({ path: '/usr/bin/conmon', exitDir: this.exitDir });
  readonly handler: RuntimeHandler;
  readonly cgroups: Cgroups;
  readonly #capabilities: ReadonlySet<string>;
  readonly #ids: string[] = [];
  #execCgroups: ExecCgroups | undefined;
  #exits: ExitWatch | undefined;
  readonly #waiting = new Map<string, (exit: ContainerExit) => void>();

  private constructor(runtime: keyof typeof RUNTIMES, cgroups: Cgroups, capabilities: ReadonlySet<string>) {
    this.handler = runtimeHandler({
      name: runtime,
      path: RUNTIMES[runtime],
      root: join(this.dir, 'state'),
    });
    this.cgroups = cgroups;
    this.#capabilities = capabilities;
  }

  static async open(runtime: keyof typeof RUNTIMES): Promise<TestNode> {
    const node = new TestNode(runtime, await Cgroups.detect(), await effectiveCapabilities());
    node.#execCgroups = await ExecCgroups.open(node.cgroups, node.cli);
    node.#exits = await ExitWatch.open({
      dir: node.exitDir,
      log: silentLog,
      onExit: (id, exit) => node.#waiting.get(id)?.(exit),
    });
    return node;
  }

  /** A created container; not started. */
  async create(args: readonly string[], options: TestOptions = {}): Promise<TestContainer> {
    const request = { ...this.prepare(args, options), ...options.shim };
    const processes = await this.conmon.create(testCall, request);
    return { ...this.paths(request.id), ...processes };
  }

  /** Writes a bundle. */
  prepare(args: readonly string[], { spec = {} }: TestOptions = {}): ShimRequest {
    const id = randomBytes(32).toString('hex');
    const { bundle, logPath, cgroupPath } = this.paths(id);
    this.#ids.push(id);
    mkdirSync(bundle, { mode: 0o700, recursive: true });
    const rootfs = makeRootfs(join(bundle, 'rootfs'));
    const input = {
      ...specInput,
      ...{ id, rootfs, cgroupsPath: cgroupPath },
      args: args.length === 0 ? specInput.args : args,
      ...{ availableCapabilities: this.#capabilities, cgroupVersion: this.cgroups.version },
    };
    writeFileSync(join(bundle, 'config.json'), encodeOciJson(buildContainerSpec({ ...input, ...spec })));
    return { id, bundle, logPath, handler: this.handler, tty: false, stdin: false, stdinOnce: false };
  }

  paths(id: string): { id: string; bundle: string; logPath: string; cgroupPath: string } {
    const bundle = join(this.dir, id.slice(0, 12));
    return { id, bundle, logPath: join(this.dir, `${id}.log`), cgroupPath: `${this.cgroupParent}/${id}` };
  }

  async start({ id }: TestContainer): Promise<void> {
    await this.cli.start(testCall, this.handler, id);
  }

  /** A container that runs, of a bundle that `prepare()` has made. */
  async startPrepared(request: ShimRequest): Promise<TestContainer> {
    const container = { ...this.paths(request.id), ...(await this.conmon.create(testCall, request)) };
    await this.start(container);
    return container;
  }

  /** A container that runs. */
  async run(args: readonly string[], options: TestOptions = {}): Promise<TestContainer> {
    const container = await this.create(args, options);
    await this.start(container);
    return container;
  }

  exec(
    { id, bundle, cgroupPath }: TestContainer,
    args: readonly string[],
    options: { timeoutMs?: number; call?: typeof testCall } = {},
  ): Promise<ExecResult> {
    const { call = testCall, timeoutMs } = options;
    const deps = { conmonPath: '/usr/bin/conmon', cgroups: this.#execCgroups! };
    return execSync(deps, call, { id, bundle, cgroupPath, handler: this.handler, args, timeoutMs });
  }

  session(
    place: TestContainer,
    args: readonly string[],
    options: { tty?: boolean; call?: typeof testCall } = {},
  ): Promise<ExecSession> {
    const { call = testCall, tty = false } = options;
    const deps = { conmonPath: '/usr/bin/conmon', cgroups: this.#execCgroups! };
    const command = { args, tty, stdin: true, stdout: true, stderr: !tty };
    return ExecSession.start(deps, call, { ...place, handler: this.handler }, command);
  }

  exited({ id }: { id: string }): Promise<ContainerExit> {
    return new Promise((done, fail) => {
      const timer = setTimeout(() => {
        fail(new Error(`container ${id} does not exit`));
      }, PATIENCE_MS);
      const tell = (exit: ContainerExit) => {
        clearTimeout(timer);
        done(exit);
      };
      this.#waiting.set(id, tell);
      const before = this.#exits!.find(id);
      if (before !== undefined) tell(before);
    });
  }

  /** The text of the container's log: what each stream was given, and how each line is tagged. */
  log({ logPath }: { logPath: string }): string[] {
    return readFileSync(logPath, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => line.replace(/^\S+ /, ''));
  }

  /** Removes everything, and throws if something of it is left then. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const id of this.#ids) await this.cli.delete(testCall, this.handler, id, { force: true });
    this.#exits?.[Symbol.dispose]();
    await eventually('every process has ended', () => processesWith(this.dir).length === 0);
    await this.cgroups.remove(this.cgroupParent);
    removeHybrid(this.cgroupParent);
    rmSync(this.dir, { recursive: true });
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
    const left = mounts.filter((line) => line.includes(this.dir));
    if (left.length > 0) throw new Error(`mounts are left: ${left.join('\n')}`);
  }
}

/** Waits for a condition that nothing tells of. */
export async function eventually(what: string, condition: () => boolean): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`not in time: ${what}`);
    await delay(5);
  }
}

/** A command that lasts, and that no other test runs: `processesWith` finds this one alone. */
export function sleepOfItsOwn(): string {
  return `sleep ${randomInt(100_000, 1_000_000_000)}`;
}

/** The processes that have `text` in their command line: conmon and runtimes know the test's directory. */
export function processesWith(text: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ').trim();
        return line.includes(text) ? [`${pid} ${line}`] : [];
      } catch {
        return []; // it has ended meanwhile
      }
    });
}

const APPLETS = [
  'sh',
  'sleep',
  'cat',
  'true',
  'false',
  'id',
  'env',
  'pwd',
  'echo',
  'printf',
  'setsid',
  'nohup',
  'head',
  'stty',
  'test',
];

function makeRootfs(path: string): string {
  for (const dir of ['bin', 'etc', 'proc', 'sys', 'dev', 'tmp'])
    mkdirSync(join(path, dir), { recursive: true });
  copyFileSync('/bin/busybox', join(path, 'bin/busybox'));
  for (const applet of APPLETS) symlinkSync('busybox', join(path, 'bin', applet));
  writeFileSync(join(path, 'bin/data'), 'no program');
  return path;
}

/** The runtimes make an empty group beside version 1 as well; `Cgroups` leaves that tree alone. */
function removeHybrid(path: string): void {
  const dir = join('/sys/fs/cgroup/unified', path);
  try {
    for (const name of readdirSync(dir, { withFileTypes: true })) {
      if (name.isDirectory()) rmdirSync(join(dir, name.name));
    }
    rmdirSync(dir);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}
