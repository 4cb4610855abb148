// Looks at the node, says what is wrong, and repairs what can be: at the start, slowly all the time, and when asked.

import { background, type Call, type Log } from '../../base/call.ts';
import { Fault } from '../../base/fault.ts';
import { linkSignals } from '../../base/signal.ts';
import { FINDING_KINDS, type Finding, type FindingKind, type Inspection, type Report } from './finding.ts';

export interface DoctorOptions {
  readonly inspections: readonly Inspection[];
  readonly log: Log;
  readonly intervalMs: number;
  /** Done after each look that repairs what is safe, when what is left over has gone. */
  readonly afterwards?: (call: Call) => Promise<void>;
  /** Told after each look, of every kind, how much of it there is and could not be repaired. */
  readonly observe?: (counts: ReadonlyMap<FindingKind, number>) => void;
}

/** How long one look may take, with what it repairs. */
const LOOK_TIMEOUT_MS = 300_000;

export class Doctor implements AsyncDisposable {
  readonly #options: DoctorOptions;
  readonly #closing = new AbortController();
  /** Said already, each as kind and subject: what stays is told once. */
  #told: ReadonlySet<string> = new Set();
  #looking: Promise<unknown> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: DoctorOptions) {
    this.#options = options;
  }

  /** Looks now and from time to time, and repairs what is safe to. */
  start(): void {
    const look = () => {
      this.examine(background(this.#options.log, LOOK_TIMEOUT_MS), 'safe').catch((err: unknown) => {
        if (!this.#closing.signal.aborted) this.#options.log.error({ err }, 'cannot look at the node');
      });
    };
    this.#timer = setInterval(look, this.#options.intervalMs).unref();
    look();
  }

  /**
   * One look after another.
   *
   * @param repair what may be repaired: nothing, what is surely ours and dead, or all that can be
   */
  async examine(call: Call, repair: 'nothing' | 'safe' | 'all'): Promise<Report[]> {
    const before = this.#looking;
    const looking = (async () => {
      await before.catch(() => undefined);
      this.#closing.signal.throwIfAborted();
      return await this.#look(call, repair);
    })();
    this.#looking = looking;
    return await looking;
  }

  async #look(call: Call, repair: 'nothing' | 'safe' | 'all'): Promise<Report[]> {
    const reports: Report[] = [];
    for (const inspect of this.#options.inspections) {
      for (const finding of await inspect(call)) {
        call.signal.throwIfAborted();
        reports.push(await treat(call, finding, repair));
      }
    }
    this.#tell(reports);
    if (repair !== 'nothing') await this.#doAfterwards(call);
    return reports;
  }

  async #doAfterwards(call: Call): Promise<void> {
    using linked = linkSignals(call.signal, this.#closing.signal);
    await this.#options.afterwards?.({ ...call, signal: linked.signal });
  }

  #tell(reports: readonly Report[]): void {
    const { log, observe } = this.#options;
    for (const { kind, subject, problem, repaired, failure } of reports) {
      if (this.#told.has(`${kind} ${subject}`) && !repaired) continue;
      log.warn({ kind, subject, problem, repaired, failure }, 'found on the node');
    }
    const left = reports.filter(({ repaired }) => !repaired);
    this.#told = new Set(left.map(({ kind, subject }) => `${kind} ${subject}`));
    const kinds = Object.keys(FINDING_KINDS) as FindingKind[];
    observe?.(new Map(kinds.map((kind) => [kind, left.filter((report) => report.kind === kind).length])));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    this.#closing.abort(new Fault('cancelled', 'the daemon stops'));
    await this.#looking.catch(() => undefined);
  }
}

/** One that resists costs the others nothing. */
async function treat(
  call: Call,
  { repair, ...finding }: Finding,
  which: 'nothing' | 'safe' | 'all',
): Promise<Report> {
  const untouched = { ...finding, canRepair: repair !== undefined, repaired: false, failure: '' };
  if (repair === undefined || which === 'nothing' || (which === 'safe' && !repair.isSafe)) return untouched;
  try {
    await repair.run(call);
    return { ...untouched, repaired: true };
  } catch (error) {
    return { ...untouched, failure: Fault.from(error).message };
  }
}
