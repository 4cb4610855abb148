// A daemon that is started for a measurement and ended after it.

import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import type { CriClient } from '../../api/cri/client.ts';
import type { Workspace } from './workspace.ts';

const START_MS = 30_000;
const STOP_MS = 20_000;

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

export class Daemon implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #logFile: string;

  /** Starts it in the workspace's cgroup; in a session of its own, so that Ctrl-C reaches only us. */
  constructor({ file, args }: Command, workspace: Workspace) {
    this.#logFile = join(workspace.run, 'daemon.log');
    const log = openSync(this.#logFile, 'a', 0o600);
    this.#child = spawn(file, args, {
      stdio: ['ignore', log, log],
      detached: true,
      env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
    });
    closeSync(log);
    this.#child.on('error', () => undefined); // shown by ready(), as an end without a start
    if (this.#child.pid !== undefined) workspace.group.add(this.#child.pid);
  }

  /** Waits until it answers. @throws with the end of its log, when it does not */
  async ready(client: CriClient): Promise<void> {
    const ended = once(this.#child, 'exit').then(() => {
      throw new Error('it ended');
    });
    try {
      await Promise.race([client.waitForReady(START_MS), ended]);
    } catch (cause) {
      throw new Error(`cannot start "${this.#child.spawnfile}":\n${this.lastLines()}`, { cause });
    } finally {
      ended.catch(() => undefined); // it ends one day
    }
  }

  lastLines(): string {
    return readFileSync(this.#logFile, 'utf8').trimEnd().split('\n').slice(-15).join('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#child;
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await exited;
    clearTimeout(timer);
  }
}
