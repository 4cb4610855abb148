// Which AppArmor profile a container runs under. The default one is ours: it is put into the kernel when the first
// container needs it, and again by the next daemon, which may have a newer one.

import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Call } from '../../base/call.ts';
import { Fault } from '../../base/fault.ts';
import { exec } from '../../sys/exec.ts';
import type { ProfileChoice } from '../security-profile.ts';
import { DEFAULT_PROFILE_NAME, defaultProfileText } from './default-profile.ts';
import { isEnabled, isLoaded } from './kernel.ts';

export interface AppArmorOptions {
  /** apparmor_parser(8), an absolute path. */
  readonly parser: string;
  /** Where sysfs is, and the profiles of the distribution; tests give others. */
  readonly sys?: string;
  readonly policyDir?: string;
}

/** `on`: a container that asks for nothing gets the default profile. `no_parser`: it cannot be loaded. */
export type AppArmorState = 'on' | 'off' | 'no_parser';

export class AppArmor {
  readonly #options: Required<AppArmorOptions>;
  /** Whether this daemon has loaded its profile; a failed attempt is forgotten. */
  #loading: Promise<void> | undefined;
  #warned = false;

  constructor(options: AppArmorOptions) {
    this.#options = { sys: '/sys', policyDir: '/etc/apparmor.d', ...options };
  }

  async state(): Promise<AppArmorState> {
    if (!(await isEnabled(this.#options.sys))) return 'off';
    return (await isThere(this.#options.parser)) ? 'on' : 'no_parser';
  }

  /**
   * The profile of a container that asks for `choice`, in the kernel when this returns. Who asks for nothing gets
   * the default one, as with other container managers, but for privileged containers.
   *
   * @returns `undefined` for none
   * @throws {Fault} failed_precondition — the profile asked for is not loaded, or the kernel has no AppArmor;
   * internal — the default one cannot be loaded
   */
  async select(
    call: Call,
    choice: ProfileChoice,
    { privileged }: { readonly privileged: boolean },
  ): Promise<string | undefined> {
    switch (choice.kind) {
      case 'unconfined':
        return undefined;
      case 'localhost':
        await this.expectLoaded(call, choice.reference);
        return choice.reference;
      case 'unset':
      case 'runtime_default':
        return privileged ? undefined : await this.#default(call);
    }
  }

  /** @throws {Fault} failed_precondition — the kernel has no such profile */
  async expectLoaded({ signal }: Call, name: string): Promise<void> {
    signal.throwIfAborted();
    const { sys } = this.#options;
    if (!(await isEnabled(sys))) throw unusable(name, 'the kernel of this node has no AppArmor');
    if (!(await isLoaded(sys, name))) throw unusable(name, 'it is not loaded on this node');
  }

  async #default(call: Call): Promise<string | undefined> {
    const state = await this.state();
    if (state === 'off') return undefined;
    if (state === 'no_parser') {
      this.#warn(call);
      return undefined;
    }
    if (this.#loading !== undefined) await this.#loading;
    if (this.#loading === undefined || !(await isLoaded(this.#options.sys, DEFAULT_PROFILE_NAME)))
      await this.#load(call); // somebody may have taken it out: aa-remove-unknown(8) does
    return DEFAULT_PROFILE_NAME;
  }

  #warn({ log }: Call): void {
    if (this.#warned) return;
    this.#warned = true;
    const { parser } = this.#options;
    log.warn({ parser }, 'AppArmor is on, but its parser is missing: containers have no profile');
  }

  #load(call: Call): Promise<void> {
    const loading = this.#runParser(call).catch((cause: unknown) => {
      if (this.#loading === loading) this.#loading = undefined;
      throw cause;
    });
    this.#loading = loading;
    return loading;
  }

  async #runParser(call: Call): Promise<void> {
    const { parser } = this.#options;
    const input = defaultProfileText({ daemonProfile: await ownProfile(), has: await this.#policyFiles() });
    try {
      await exec(call, { file: parser, args: ['--replace', '--skip-cache'], input });
    } catch (cause) {
      call.signal.throwIfAborted();
      const why = Fault.from(cause).message;
      throw new Fault('internal', `cannot load AppArmor profile "${DEFAULT_PROFILE_NAME}": ${why}`, {
        cause,
      });
    }
    call.log.info({ profile: DEFAULT_PROFILE_NAME }, 'AppArmor profile loaded');
  }

  async #policyFiles(): Promise<{ abi: boolean; tunables: boolean; base: boolean }> {
    const has = (file: string) => isThere(join(this.#options.policyDir, file));
    return {
      abi: await has('abi/3.0'),
      tunables: await has('tunables/global'),
      base: await has('abstractions/base'),
    };
  }
}

function unusable(name: string, why: string): Fault {
  return new Fault('failed_precondition', `cannot use AppArmor profile "${name}": ${why}`);
}

/** `unconfined` or `name (enforce)`; with another security module the file cannot be read. */
async function ownProfile(): Promise<string> {
  const text = await readFile('/proc/self/attr/current', 'utf8').catch(() => '');
  const name = text.trim().replace(/ \(\w+\)$/, '');
  return /^[\w./:@{}-]+$/.test(name) ? name : 'unconfined';
}

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
