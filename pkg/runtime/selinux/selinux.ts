// Which SELinux labels pods and containers have. Where SELinux is off they have none, whatever they ask for.

import type { Log } from '../../base/call.ts';
import { Fault } from '../../base/fault.ts';
import {
  isAsked,
  levelOf,
  withOptions,
  type ConfinedLabels,
  type SelinuxLabels,
  type SelinuxOptions,
} from './context.ts';
import { canonicalLabel, isEnabled } from './kernel.ts';
import { Levels } from './levels.ts';
import { readContainerLabels } from './policy.ts';

/** `no_policy`: the kernel has SELinux, but its policy knows no containers: they have no labels. */
export type SelinuxState = 'on' | 'off' | 'no_policy';

export interface SelinuxNode {
  /** Below which /sys, /proc, /etc and /usr of the node are; tests give another. */
  readonly root?: string;
  /** A label as the policy writes it, `undefined` if it knows none such; asked of the kernel when absent. */
  readonly canonical?: Canonical;
}

type Canonical = (label: string) => Promise<string | undefined>;

/** What decides about the labels of a container, besides those of its pod. */
export interface ContainerSelinux {
  /** By the container, and where that says nothing by its pod. */
  readonly asked: SelinuxOptions;
  readonly privileged: boolean;
  /** Whether it is in the pid or the ipc namespace of the node. */
  readonly seesNode: boolean;
}

/** Labels of a pod whose record is not written yet: until it is disposed of, no other pod gets the same level. */
export interface PodClaim extends Disposable {
  readonly labels: ConfinedLabels | undefined;
}

const NO_CLAIM: PodClaim = { labels: undefined, [Symbol.dispose]: () => undefined };

export class Selinux {
  readonly state: SelinuxState;
  readonly #defaults: ConfinedLabels;
  readonly #canonical: Canonical;
  readonly #levels = new Levels();

  private constructor(state: SelinuxState, defaults: ConfinedLabels, canonical: Canonical) {
    this.state = state;
    this.#defaults = defaults;
    this.#canonical = canonical;
  }

  /** @param node as it is at the start: SELinux is not turned on or off while a machine runs */
  static async open(
    { wanted, log }: { readonly wanted: boolean; readonly log: Log },
    { root = '/', canonical = (label) => canonicalLabel(root, label) }: SelinuxNode = {},
  ): Promise<Selinux> {
    const defaults = await readContainerLabels(root);
    if (!wanted || !(await isEnabled(root))) return new Selinux('off', defaults, canonical);
    const known = await Promise.all([canonical(defaults.process), canonical(defaults.mount)]);
    if (!known.includes(undefined)) return new Selinux('on', defaults, canonical);
    log.warn({ ...defaults }, 'SELinux is on, but its policy has no such labels: containers have none');
    return new Selinux('no_policy', defaults, canonical);
  }

  /**
   * @param taken labels of the pods that there are
   * @throws {Fault} invalid_argument — the policy has no such label; resource_exhausted — no level is left
   */
  async claimForPod(
    asked: SelinuxOptions = {},
    taken: readonly (SelinuxLabels | undefined)[],
  ): Promise<PodClaim> {
    if (this.state !== 'on') return NO_CLAIM;
    if (asked.level !== undefined || levelOf(this.#defaults.process) === undefined)
      return { ...NO_CLAIM, labels: await this.#known(withOptions(this.#defaults, asked)) };
    const levels = taken.flatMap((labels) => levelOf(labels?.process) ?? []);
    const claim = this.#levels.claim(new Set(levels));
    try {
      const labels = await this.#known(withOptions(this.#defaults, { ...asked, level: claim.level }));
      return { ...claim, labels };
    } catch (error) {
      claim[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * @param pod absent if the pod was run without labels: so are containers in it that ask for none
   * @returns `undefined` for no labels at all
   * @throws {Fault} invalid_argument — the policy has no such label
   */
  async forContainer(
    pod: ConfinedLabels | undefined,
    { asked, privileged, seesNode }: ContainerSelinux,
  ): Promise<SelinuxLabels | undefined> {
    if (this.state !== 'on' || (pod === undefined && !isAsked(asked))) return undefined;
    const labels = await this.#known(withOptions(pod ?? this.#defaults, asked));
    const isConfined = !privileged && (!seesNode || asked.type !== undefined);
    return isConfined ? labels : { mount: labels.mount };
  }

  async #known({ process, mount }: ConfinedLabels): Promise<ConfinedLabels> {
    return { process: await this.#expectKnown(process), mount: await this.#expectKnown(mount) };
  }

  async #expectKnown(label: string): Promise<string> {
    const known = await this.#canonical(label);
    if (known !== undefined) return known;
    throw new Fault(
      'invalid_argument',
      `config.linux.security_context.selinux_options lead to "${label}", which the policy of this node does not know`,
      { detail: { label } },
    );
  }
}
