// What all commands of hack/bench have in common: options, a place for files, runtimes that are started and ended,
// figures on standard output. Ctrl-C or a SIGTERM ends a run at once, and leaves nothing; what a run has left that was
// killed, the next one takes away.

import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Belongings } from '../../pkg/sys/testing/belongings.ts';
import { claim } from '../../pkg/sys/testing/claim.ts';
import { clearAbandoned } from '../../pkg/sys/testing/clear-abandoned.ts';
import { takeAway } from '../../pkg/sys/testing/take-away.ts';
import { writeImageArchive } from '../images/archive.ts';
import { busyboxImage } from '../images/busybox.ts';
import type { PodPlan } from './pod.ts';

export interface Bench<Options, Result> {
  /** As it is called: `hack/bench stats`. */
  readonly name: string;
  readonly usage: string;
  /** @throws {TypeError} with a message for people, when it is misused */
  readonly parse: (args: string[]) => Options | 'help';
  readonly measure: (run: BenchRun, options: Options) => Promise<Result>;
  readonly toText: (result: Result) => string;
  readonly toJson: (result: Result) => unknown;
  /** Whether it was as it should be; if absent, it always is. */
  readonly isGood?: (result: Result) => boolean;
}

export interface BenchRun {
  /** Whatever is put on it is given back at the end. */
  readonly stack: AsyncDisposableStack;
  /** For files; gone at the end. */
  readonly dir: string;
  /** The image `BUSYBOX_IMAGE`. */
  readonly archive: string;
  /** Its signal says that the run was interrupted. */
  readonly plan: PodPlan;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** @returns the exit status */
export async function runBench<Options extends { readonly json: boolean }, Result>(
  bench: Bench<Options, Result>,
  args: string[],
): Promise<number> {
  let options: Options | 'help';
  try {
    options = bench.parse(args);
  } catch (error) {
    process.stderr.write(`bench: ${messageOf(error)} (see ${bench.name} --help)\n`);
    return 2;
  }
  if (options === 'help') {
    process.stdout.write(bench.usage);
    return 0;
  }
  for (const failure of await clearAbandoned()) say(failure);
  const interrupted = new AbortController();
  for (const signal of SIGNALS)
    process.on(signal, () => {
      interrupted.abort(new Error(`${signal} came`));
    });
  try {
    const result = await measure(bench, options, interrupted.signal);
    const { json } = options;
    process.stdout.write(json ? `${JSON.stringify(bench.toJson(result), null, 2)}\n` : bench.toText(result));
    return bench.isGood?.(result) === false ? 1 : 0;
  } catch (error) {
    say(messageOf(error));
    if (interrupted.signal.aborted) process.exit(1); // without what is still waiting for an answer
    return 1;
  }
}

/** For people who wait. */
export function say(text: string): void {
  process.stderr.write(`bench: ${text}\n`);
}

async function measure<Options, Result>(
  bench: Bench<Options, Result>,
  options: Options,
  signal: AbortSignal,
): Promise<Result> {
  await using stack = new AsyncDisposableStack();
  const dir = mkdtempSync(join(tmpdir(), 'davit-bench-'));
  const belongings: Belongings = { dirs: [dir], cgroup: `/${basename(dir)}` };
  const claimed = claim(belongings);
  stack.defer(async () => {
    await takeAway(belongings);
    claimed[Symbol.dispose]();
  });
  const archive = join(dir, 'busybox.tar');
  await writeImageArchive(archive, busyboxImage());
  const plan = { run: randomBytes(4).toString('hex'), logDirectory: join(dir, 'logs'), signal };
  const interrupted = Promise.withResolvers<never>();
  signal.addEventListener('abort', () => {
    interrupted.reject(signal.reason as Error);
  });
  const working = bench.measure({ stack, dir, archive, plan }, options);
  working.catch(() => undefined); // after an interruption it fails, and nobody asks why
  return await Promise.race([working, interrupted.promise]);
}

function messageOf(error: unknown): string {
  if (error instanceof SuppressedError)
    return `${messageOf(error.suppressed)} (then: ${messageOf(error.error)})`;
  return error instanceof Error ? error.message : String(error);
}
