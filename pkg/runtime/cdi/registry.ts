// The CDI devices of this node, as the specifications say now.

import type { Log } from '../../base/call.ts';
import { Fault } from '../../base/fault.ts';
import { WatchedFolders } from '../../sys/watched-folders.ts';
import { readCdiFolders, type CdiFolders, type CdiProblem } from './read-folders.ts';
import type { ContainerEdits } from './spec-file.ts';

/** What to change, and because of which device or specification. */
export interface NamedEdits {
  readonly name: string;
  readonly edits: ContainerEdits;
}

export class CdiRegistry implements AsyncDisposable {
  readonly #folders: WatchedFolders<CdiFolders>;

  private constructor(folders: WatchedFolders<CdiFolders>) {
    this.#folders = folders;
  }

  /** @param folders in rising priority */
  static async open(folders: readonly string[], log: Log): Promise<CdiRegistry> {
    const onChange = ({ devices, problems }: CdiFolders) => {
      for (const { file, problem } of problems) log.warn({ file, problem }, 'CDI specification ignored');
      if (devices.size > 0) log.info({ devices: devices.size }, 'CDI specifications read');
    };
    const read = () => readCdiFolders(folders);
    return new CdiRegistry(await WatchedFolders.open({ folders, read, onChange, log }));
  }

  /**
   * What a container needs for these devices: first what their specification wants for any of its devices.
   *
   * @throws {Fault} invalid_argument — there is no such device; the message names it, and files that cannot be read
   */
  async resolve(names: readonly string[]): Promise<NamedEdits[]> {
    if (names.length === 0) return [];
    await this.#folders.refresh();
    const { devices } = this.#folders.current;
    const seen = new Set<string>();
    return names.flatMap((name) => {
      const device = devices.get(name);
      if (device === undefined) throw this.#unknown(name);
      const isFirst = !seen.has(device.spec.path);
      seen.add(device.spec.path);
      const common = isFirst ? [{ name: device.spec.path, edits: device.spec.edits }] : [];
      return [...common, { name, edits: device.edits }];
    });
  }

  /** From memory. */
  status(): { readonly devices: readonly string[]; readonly problems: readonly CdiProblem[] } {
    const { devices, problems } = this.#folders.current;
    return { devices: [...devices.keys()].sort(), problems };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#folders[Symbol.asyncDispose]();
  }

  #unknown(name: string): Fault {
    const { problems } = this.#folders.current;
    const hint = problems.map(({ file, problem }) => `; "${file}" is ignored: ${problem}`).join('');
    return new Fault(
      'invalid_argument',
      `there is no CDI device "${name}" on this node${hint}`.slice(0, 2000),
      {
        detail: { device: name },
      },
    );
  }
}
