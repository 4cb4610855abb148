// A node of the tests: one daemon with directories, network and cgroups of its own.

import { join } from 'node:path';
import { CriClient } from '../../../api/cri/client.ts';
import { DavitClient } from '../../../api/davit/client.ts';
import { writeDaemonConfig, writeNetworkConfig } from './config.ts';
import { DaemonProcess } from './daemon-process.ts';
import { eventually } from './eventually.ts';
import { cleanUp } from './clean-up.ts';
import { writeOciArchive } from './image-archive.ts';
import { findLeaks, listFiles } from './leaks.ts';
import { mountDisk } from './disk.ts';
import { makePlace, type Place } from './place.ts';
import { removePodCgroups } from './cgroups.ts';
import { TEST_IMAGE, testImage } from './test-image.ts';

export interface NodeOptions {
  /** TOML that wins over what every node has; it may name files of the place. */
  readonly config?: string | ((place: Place) => string);
  /** Puts images, layers and the database on an ext4 file system of this size. */
  readonly diskMiB?: number;
  /** How many files it may hold, if not as many as usual. */
  readonly diskInodes?: number;
  /** Of the daemon, beside what it has anyway. */
  readonly env?: (place: Place) => Readonly<Record<string, string>>;
}

/** What is removed goes at once, but for a process that is still on its way out. */
const LEAK_PATIENCE_MS = 20_000;

export class TestNode {
  readonly #options: NodeOptions;
  #place: Place | undefined;
  #daemon: DaemonProcess | undefined;
  #client: CriClient | undefined;
  #davit: DavitClient | undefined;
  #files: ReadonlySet<string> = new Set();
  readonly #told = new Set<string>();

  constructor(options: NodeOptions = {}) {
    this.#options = options;
  }

  get place(): Place {
    return expectOpen(this.#place);
  }

  get client(): CriClient {
    return expectOpen(this.#client);
  }

  get davit(): DavitClient {
    return expectOpen(this.#davit);
  }

  get daemon(): DaemonProcess {
    return expectOpen(this.#daemon);
  }

  /** What is there without any pod. */
  get files(): ReadonlySet<string> {
    return this.#files;
  }

  /** Starts the daemon for the first time and gives it the image of the tests. */
  async open(): Promise<void> {
    this.#place = makePlace();
    writeNetworkConfig(this.#place);
    const { config = '' } = this.#options;
    writeDaemonConfig(this.#place, typeof config === 'string' ? config : config(this.#place));
    if (this.#options.diskMiB !== undefined)
      mountDisk(this.#place, this.#options.diskMiB, this.#options.diskInodes);
    await this.start();
    const archive = join(this.#place.dir, 'image.tar');
    await writeOciArchive(archive, TEST_IMAGE, await testImage());
    await this.davit.loadImages({ path: archive });
    this.#files = listFiles(this.#place);
  }

  async start(): Promise<void> {
    this.#daemon = await DaemonProcess.start(this.place, this.#options.env?.(this.place));
    this.#client = new CriClient(this.place.socket);
    this.#davit = new DavitClient(this.place.socket);
  }

  async kill9(): Promise<void> {
    this.#disconnect();
    await this.daemon.kill();
  }

  /** After it died by itself. */
  async startAgain(): Promise<void> {
    this.#disconnect();
    await this.start();
  }

  /** @returns its exit code; `null` if it had to be killed */
  async stop(): Promise<number | null> {
    this.#disconnect();
    return await this.daemon.stop();
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Stops and removes all pods, as the kubelet does, with the cgroups that are the kubelet's. */
  async removeAllPods(): Promise<void> {
    const { items } = await this.client.listPodSandbox();
    await Promise.all(
      items.map(async ({ id }) => {
        await this.client.stopPodSandbox({ podSandboxId: id });
        await this.client.removePodSandbox({ podSandboxId: id });
      }),
    );
    removePodCgroups(this.place);
  }

  /** What is there though there is no pod: one sentence each, and each told once. */
  async leaks(): Promise<string[]> {
    const daemonPid = this.#daemon?.isRunning === true ? this.#daemon.pid : undefined;
    const look = (): string[] =>
      findLeaks(this.place, { daemonPid, files: this.#files }).filter((leak) => !this.#told.has(leak));
    try {
      await eventually('no leak', () => look().length === 0, LEAK_PATIENCE_MS);
      return [];
    } catch {
      const leaks = look();
      for (const leak of leaks) this.#told.add(leak);
      return leaks;
    }
  }

  /** Ends the daemon and takes everything away. @throws if it did not end well, or there was more than there should be */
  async close(): Promise<void> {
    if (this.#place === undefined) return;
    const problems: string[] = [];
    try {
      if (this.#daemon !== undefined) problems.push(...(await this.#end()));
    } finally {
      await cleanUp(this.#place);
    }
    if (problems.length > 0) throw new Error(`at the end of the node:\n${problems.join('\n')}`);
  }

  async #end(): Promise<string[]> {
    const code = this.daemon.isRunning ? await this.stop() : 0;
    const leaks = await this.leaks();
    return code === 0 ? leaks : [`the daemon ended with ${code}`, ...leaks];
  }

  #disconnect(): void {
    this.#client?.[Symbol.dispose]();
    this.#davit?.[Symbol.dispose]();
  }
}

function expectOpen<T>(part: T | undefined): T {
  if (part === undefined) throw new Error('the node is not open yet');
  return part;
}
