// The built daemon as a process: started as an operator does it, ended politely or not.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CriClient } from '../../../api/cri/client.ts';
import { patience } from './patience.ts';
import type { Place } from './place.ts';

const REPO = join(import.meta.dirname, '../../..');
const START_MS = patience(60_000);
const STOP_MS = patience(60_000);

export class DaemonProcess {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Returns when it answers. @throws with the end of its log when it does not */
  static async start(place: Place, env: Readonly<Record<string, string>> = {}): Promise<DaemonProcess> {
    if (!existsSync(join(REPO, 'dist/davit.mjs')))
      throw new Error('there is no dist/davit.mjs: run hack/build');
    const log = openSync(place.daemonLog, 'a', 0o600);
    const child = spawn(join(REPO, 'bin/davit'), ['--config', place.config], {
      stdio: ['ignore', log, log],
      detached: true, // a Ctrl-C is for the tests, which then end it
      env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', ...env },
    });
    closeSync(log);
    const daemon = new DaemonProcess(child);
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`it ended with ${String(code)}`);
    });
    ended.catch(() => undefined); // it ends one day
    using client = new CriClient(place.socket);
    try {
      await Promise.race([client.waitForReady(START_MS), ended]);
    } catch (cause) {
      await daemon.kill();
      throw new Error(`the daemon did not start:\n${logSince(place, 0)}`, { cause });
    }
    return daemon;
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('the daemon was never started');
    return this.#child.pid;
  }

  get isRunning(): boolean {
    return this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** When it has ended, however it did. */
  async ended(): Promise<void> {
    if (this.isRunning) await once(this.#child, 'exit');
  }

  /** SIGKILL: what a crash is to everyone else. */
  async kill(): Promise<void> {
    if (!this.isRunning) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }

  /** SIGTERM. @returns its exit code; `null` if it had to be killed */
  async stop(): Promise<number | null> {
    if (!this.isRunning) return this.#child.exitCode;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
    await exited;
    clearTimeout(timer);
    return this.#child.exitCode;
  }
}

const MAX_LINES = 40;

/** The end of the daemon's log from `start` on, for whoever looks into a failure. */
export function logSince({ daemonLog }: Place, start: number): string {
  const bytes = readFileSync(daemonLog).subarray(start);
  const lines = bytes.toString().trimEnd().split('\n');
  return lines
    .filter((line) => !line.startsWith('{"level":"debug"'))
    .slice(-MAX_LINES)
    .join('\n');
}
