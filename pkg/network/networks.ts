// The networks of this node: which one new pods join, whether it is ready, and joining and leaving it.

import { background, type Call, type Log } from '../base/call.ts';
import { Fault } from '../base/fault.ts';
import type { SandboxId } from '../base/id.ts';
import { linkSignals } from '../base/signal.ts';
import { QuietGate } from '../async/quiet-gate.ts';
import { stage } from '../base/timeline.ts';
import { attachPod, checkNetwork, checkPod, collectGarbage, detachPod, hasGarbage } from './attachment.ts';
import type { ConfigProblem } from './config-directory.ts';
import { ConfigSource } from './config-source.ts';
import type { NetworkConfigList } from './network-config.ts';
import { getPlugin, type ObservePlugin, type PluginOptions } from './plugin.ts';
import type { PodAttachment } from './pod-attachment.ts';
import type { NetworkResult } from './result.ts';

export interface NetworksOptions {
  readonly confDir: string;
  readonly binDirs: readonly string[];
  readonly log: Log;
  /** For one call of one plugin. */
  readonly timeoutMs?: number;
  /** How often what the kernel does not tell of is looked at. */
  readonly pollMs?: number;
  readonly observe?: ObservePlugin;
}

/** In the words of the CRI's condition `NetworkReady`. */
export interface NetworkStatus {
  readonly ready: boolean;
  readonly reason: string;
  /** What is wrong, with the names of the files; also of those ignored while another one is used. */
  readonly message: string;
}

const TIMEOUT_MS = 60_000;
const POLL_MS = 5_000;
/** Pods wait meanwhile, and it comes again. */
const GARBAGE_TIMEOUT_MS = 30_000;
const GARBAGE_PLUGIN_TIMEOUT_MS = 10_000;
const MAX_MESSAGE_CHARS = 4_000;

export class Networks implements AsyncDisposable {
  readonly #options: NetworksOptions;
  readonly #plugins: PluginOptions;
  readonly #closing = new AbortController();
  /** Pods are attached and detached together; garbage is collected alone. */
  readonly #gate = new QuietGate();
  #source: ConfigSource | undefined;
  #timer: NodeJS.Timeout | undefined;
  #polling: Promise<void> | undefined;
  #probing: Promise<void> | undefined;
  /** Why the selected network cannot serve, as far as its plugins told. */
  #fault: Fault | undefined;

  private constructor(options: NetworksOptions) {
    this.#options = options;
    const { binDirs, timeoutMs = TIMEOUT_MS, observe } = options;
    this.#plugins = { binDirs, timeoutMs, observe };
  }

  /**
   * Reads the configurations and watches them from then on. A network counts as ready until its plugins say
   * otherwise, which they are asked at once: a slow one must not delay the daemon's start.
   */
  static async open(options: NetworksOptions): Promise<Networks> {
    const networks = new Networks(options);
    networks.#source = await ConfigSource.open({
      dir: options.confDir,
      log: options.log,
      onChange: () => {
        networks.#onChange();
      },
    });
    networks.#onChange(); // of the first reading: the source was not known until now
    networks.#timer = setInterval(() => {
      networks.#polling ??= networks.#poll();
    }, options.pollMs ?? POLL_MS).unref();
    return networks;
  }

  /** From memory. */
  status(): NetworkStatus {
    const list = this.find();
    const problem = list === undefined ? this.#describeMissing() : this.#fault?.message;
    if (problem !== undefined) {
      return { ready: false, reason: 'NetworkPluginNotReady', message: problem.slice(0, MAX_MESSAGE_CHARS) };
    }
    const ignored = this.#problems().map(describeProblem).join('; ');
    const message = ignored === '' ? '' : `ignored: ${ignored}`;
    return { ready: true, reason: '', message: message.slice(0, MAX_MESSAGE_CHARS) };
  }

  /** Reads the directory again and asks the plugins whether they can serve, both now. */
  async refresh(): Promise<void> {
    await this.#source?.refresh();
    await this.#probing; // may have asked before
    await this.#probe();
  }

  /**
   * The network that a new pod joins: the valid one whose file comes first.
   *
   * @throws {Fault} unavailable — there is none; the message says what is wrong with which file
   */
  select(): NetworkConfigList {
    const list = this.find();
    if (list === undefined) throw new Fault('unavailable', this.#describeMissing());
    return list;
  }

  /** As `select()`. */
  find(): NetworkConfigList | undefined {
    return this.#source?.current.lists[0];
  }

  /**
   * For who is about to begin a pod: without its plugins it could not be undone either.
   *
   * @throws {Fault} unavailable — a plugin of the network is not installed
   */
  async expectInstalled(list: NetworkConfigList): Promise<void> {
    for (const plugin of list.plugins) await getPlugin(this.#plugins.binDirs, list, plugin);
  }

  /** Puts a pod into a network. After a failure it is the caller who undoes it, with `detach()`. */
  async attach(call: Call, list: NetworkConfigList, pod: PodAttachment): Promise<NetworkResult> {
    using _together = await this.#enter(call);
    return await attachPod(call, this.#plugins, list, pod);
  }

  /** Takes a pod out of a network, whatever there is of it. May be repeated. */
  async detach(
    call: Call,
    list: NetworkConfigList,
    pod: PodAttachment,
    previous?: NetworkResult,
  ): Promise<void> {
    using _together = await this.#enter(call);
    await detachPod(call, this.#plugins, { list, pod, previous });
  }

  /**
   * Has the plugins of a network give back what they hold for pods that are not there. It waits for a moment in which
   * no pod is attached or detached, and those that come then wait for it.
   *
   * @param valid the pods that are in the network, or may be
   * @throws {Fault} plugins failed, or there was no such moment
   */
  async collectGarbage(
    call: Call,
    list: NetworkConfigList,
    valid: () => Promise<readonly SandboxId[]>,
  ): Promise<void> {
    if (!hasGarbage(list)) return;
    const timeout = AbortSignal.timeout(GARBAGE_TIMEOUT_MS);
    using linked = linkSignals(call.signal, this.#closing.signal, timeout);
    using _alone = await this.#gate.alone(linked.signal);
    const timeoutMs = Math.min(this.#plugins.timeoutMs, GARBAGE_PLUGIN_TIMEOUT_MS);
    const limited = { ...call, signal: linked.signal };
    await collectGarbage(limited, { ...this.#plugins, timeoutMs }, list, await valid());
  }

  /** Throws when the pod's network is no longer as `attach()` made it. */
  async check(
    call: Call,
    list: NetworkConfigList,
    pod: PodAttachment,
    previous: NetworkResult,
  ): Promise<void> {
    await checkPod(call, this.#plugins, { list, pod, previous });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    this.#closing.abort(new Fault('cancelled', 'the daemon stops'));
    await this.#source?.[Symbol.asyncDispose]();
    await this.#polling;
    await this.#probing;
  }

  async #enter(call: Call): Promise<Disposable> {
    if (!this.#gate.isTaken) return await this.#gate.together(call.signal);
    using _stage = stage(call, 'wait for the network to be cleaned up');
    return await this.#gate.together(call.signal);
  }

  #problems(): readonly ConfigProblem[] {
    return this.#source?.current.problems ?? [];
  }

  #describeMissing(): string {
    const problems = this.#problems().map(describeProblem).join('; ');
    const none = `cannot find a network configuration in "${this.#options.confDir}"`;
    return problems === '' ? none : `${none}: ${problems}`;
  }

  #onChange(): void {
    const { log } = this.#options;
    const list = this.find();
    this.#fault = undefined;
    for (const { file, problem } of this.#problems()) {
      log.warn({ file, problem }, 'network configuration ignored');
    }
    if (list === undefined) return;
    log.info({ network: list.name, file: list.file }, 'network selected');
    this.#probe().catch(() => undefined); // never rejects
  }

  async #poll(): Promise<void> {
    try {
      await this.#source?.poll();
      await this.#probe();
    } finally {
      this.#polling = undefined;
    }
  }

  /** Asks the plugins of the selected network; who asks meanwhile waits for the same answer. */
  #probe(): Promise<void> {
    this.#probing ??= this.#askPlugins().finally(() => {
      this.#probing = undefined;
    });
    return this.#probing;
  }

  async #askPlugins(): Promise<void> {
    let list: NetworkConfigList | undefined;
    let fault: Fault | undefined;
    do {
      list = this.find();
      fault = list === undefined ? undefined : await this.#ask(list);
    } while (list !== this.find() && !this.#closing.signal.aborted);
    if (this.#closing.signal.aborted) return;
    this.#noteFault(fault);
  }

  /** Logged when it changes, not each time the plugins are asked. */
  #noteFault(fault: Fault | undefined): void {
    const { log } = this.#options;
    if (fault !== undefined && fault.message !== this.#fault?.message) {
      log.warn({ err: fault, ...fault.detail }, 'network not ready');
    }
    if (fault === undefined && this.#fault !== undefined) log.info({}, 'network ready again');
    this.#fault = fault;
  }

  async #ask(list: NetworkConfigList): Promise<Fault | undefined> {
    const call = background(this.#options.log, this.#plugins.timeoutMs * (list.plugins.length + 1));
    using linked = linkSignals(call.signal, this.#closing.signal);
    try {
      await checkNetwork({ ...call, signal: linked.signal }, this.#plugins, list);
      return undefined;
    } catch (err) {
      return Fault.from(err);
    }
  }
}

function describeProblem({ file, problem }: ConfigProblem): string {
  return problem.includes(`"${file}"`) ? problem : `"${file}": ${problem}`;
}
