// The hooks that an operator has put into the hooks.d folders, as they are now.

import { join } from 'node:path';
import type { Log } from '../../base/call.ts';
import { Fault } from '../../base/fault.ts';
import { listFiles, readSmallFile, WatchedFolders } from '../../sys/watched-folders.ts';
import type { NamedHook } from '../oci-hooks.ts';
import type { HookFile } from './hook-file.ts';
import { matches, type HookSubject } from './match.ts';

export interface HookProblem {
  readonly file: string;
  readonly problem: string;
}

export interface HookFolders {
  /** Sorted by name, whatever the case of the letters. */
  readonly files: readonly HookFile[];
  readonly problems: readonly HookProblem[];
}

export class Hooks implements AsyncDisposable {
  readonly #folders: WatchedFolders<HookFolders>;

  private constructor(folders: WatchedFolders<HookFolders>) {
    this.#folders = folders;
  }

  /** @param folders a file in a later one takes the place of one with the same name in an earlier one */
  static async open(folders: readonly string[], log: Log): Promise<Hooks> {
    const onChange = ({ files, problems }: HookFolders) => {
      for (const { file, problem } of problems) log.warn({ file, problem }, 'hook ignored');
      if (files.length > 0) log.info({ hooks: files.map(({ name }) => name) }, 'hooks read');
    };
    return new Hooks(
      await WatchedFolders.open({ folders, read: () => readHookFolders(folders), onChange, log }),
    );
  }

  /** The hooks of a container, in the order in which they run. */
  async select(subject: HookSubject): Promise<NamedHook[]> {
    await this.#folders.refresh();
    return this.#folders.current.files
      .filter(({ when }) => matches(when, subject))
      .flatMap(({ name, hook, stages }) => stages.map((stage) => ({ name, hook, stage })));
  }

  /** From memory. */
  status(): { readonly hooks: readonly string[]; readonly problems: readonly HookProblem[] } {
    const { files, problems } = this.#folders.current;
    return { hooks: files.map(({ name }) => name), problems };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#folders[Symbol.asyncDispose]();
  }
}

/** A file that cannot be used is a problem, and hides no usable one of the same name in an earlier folder. */
export async function readHookFolders(folders: readonly string[]): Promise<HookFolders> {
  const byName = new Map<string, HookFile>();
  const problems: HookProblem[] = [];
  for (const folder of folders) {
    const problem = (file: string) => (error: unknown) => {
      problems.push({ file, problem: Fault.from(error).message });
      return undefined;
    };
    for (const name of (await listFiles(folder, ['.json']).catch(problem(folder))) ?? []) {
      const path = join(folder, name);
      const file = await readHook(path, name).catch(problem(path));
      if (file !== undefined) byName.set(name, file);
    }
  }
  return { files: [...byName.values()].sort(byLowerCaseName), problems };
}

/** Regular expressions of Go take memory: they are loaded with the first file. */
async function readHook(path: string, name: string): Promise<HookFile> {
  const { parseHookFile } = await import('./hook-file.ts');
  return await parseHookFile(name, await readSmallFile(path));
}

function byLowerCaseName(a: HookFile, b: HookFile): number {
  const [one, other] = [a.name.toLowerCase(), b.name.toLowerCase()];
  return one === other ? 0 : one < other ? -1 : 1;
}
