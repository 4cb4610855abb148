// davitctl logs: shows what a container wrote.

import { parseTime } from '../../pkg/stream/log-line.ts';
import { define, type Invocation } from './define.ts';
import { UsageError } from './explain.ts';
import { getContainer } from './find.ts';
import { showLog } from './show-log.ts';

const OPTIONS = {
  follow: { type: 'boolean', short: 'f', about: 'wait for more until the container ends' },
  tail: { type: 'string', value: 'LINES', about: 'only this many last lines' },
  since: { type: 'string', value: 'TIME', about: 'nothing older: 10m, 1h30m, or 2026-11-21T02:39:10Z' },
  timestamps: { type: 'boolean', short: 't', about: 'show when each line was written' },
} as const;

export const logs = define({
  name: 'logs',
  summary: 'show what a container wrote',
  synopsis: '[OPTIONS] CONTAINER',
  about: 'Standard output and standard error stay apart. The file is read, so run this on the machine.',
  options: OPTIONS,
  examples: [
    ['logs web', 'all of it, since the last rotation'],
    ['logs -f --tail 20 web', 'the last lines, and what comes'],
    ['logs --since 10m -t web 2>/dev/null', 'standard output of ten minutes, with times'],
  ],
  completes: 'containers',
  args: { min: 1, max: 1 },
  run: showLogs,
});

async function showLogs({ cri, io, values, args }: Invocation<typeof OPTIONS>): Promise<number> {
  const options = {
    follow: values.follow === true,
    timestamps: values.timestamps === true,
    tail: parseTail(values.tail),
    sinceNs: parseSince(values.since, io.now()),
  };
  const { id } = await getContainer(cri, args[0] ?? '');
  await showLog({ cri, io }, id, options);
  return 0;
}

function parseTail(text: string | undefined): number | undefined {
  if (text === undefined || text === 'all') return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`--tail takes a number of lines, not "${text}"`);
  return Number(text);
}

const UNIT_S: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** @returns nanoseconds since the Unix epoch */
function parseSince(text: string | undefined, nowMs: number): bigint | undefined {
  if (text === undefined) return undefined;
  const time = parseTime(text);
  if (time !== undefined) return time;
  if (!/^(\d{1,9}[smhd])+$/.test(text)) {
    throw new UsageError(`--since takes a time such as 10m or 2026-11-21T02:39:10Z, not "${text}"`);
  }
  let seconds = 0;
  for (const [, number, unit = ''] of text.matchAll(/(\d+)([smhd])/g))
    seconds += Number(number) * (UNIT_S[unit] ?? 0);
  return BigInt(Math.floor(nowMs - seconds * 1000)) * 1_000_000n;
}
