// Draws a pull on a terminal while it goes on. Other runtimes than Davit do not tell, and then nothing is drawn.

import type { DavitClient } from '../../api/davit/client.ts';
import type { Pull } from '../../api/davit/generated/types.ts';
import type { Io } from './command.ts';
import { ASK } from './find.ts';
import { clearLines, pullBars } from './pull-bars.ts';

const POLL_MS = 500;

/** Waits for `pulling`, and shows what becomes of `image` meanwhile. Nothing of it is left on the terminal. */
export async function watchPull<T>(
  { io, davit }: { readonly io: Io; readonly davit: DavitClient },
  image: string,
  pulling: Promise<T>,
): Promise<T> {
  if (io.terminal === undefined) return await pulling;
  const { columns } = io.terminal;
  const write = (text: string) => io.write(Buffer.from(text), 'out');
  let drawn = 0;
  try {
    while (!(await endsWithin(pulling, POLL_MS))) {
      const pull = await findPull(davit, image);
      if (pull === undefined) continue;
      const lines = pullBars(pull, columns);
      await write(`${clearLines(drawn)}${lines.join('\n')}\n`);
      drawn = lines.length;
    }
  } finally {
    await write(clearLines(drawn));
  }
  return await pulling;
}

/** A look that fails costs the pull nothing. */
async function findPull(davit: DavitClient, image: string): Promise<Pull | undefined> {
  try {
    const { pulls } = await davit.listPulls({ image }, ASK);
    return pulls.find(({ endedAt }) => endedAt === 0n);
  } catch {
    return undefined;
  }
}

async function endsWithin(work: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const later = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, ms, false);
  });
  const ended = work.then(
    () => true,
    () => true,
  );
  try {
    return await Promise.race([ended, later]);
  } finally {
    clearTimeout(timer);
  }
}
