// The thread that reads what the kernel counts, so that the daemon never waits for it. What takes long, adding up
// directories, is done a few milliseconds at a time, so that what is quick need not wait for it.

import { setImmediate } from 'node:timers/promises';
import { parentPort } from 'node:worker_threads';
import { readGroups, startClock } from './group-reader.ts';
import { kernelFiles } from './kernel-files.ts';
import type { FromWorker, Question, ToWorker } from './messages.ts';
import { readNetworks } from './network.ts';
import { walkTree } from './tree-walk.ts';
import type { TreeUsage } from './usage.ts';

const SLICE_MS = 4;

/** A file that a kernel does not have is told by an error; collecting its stack costs more than to look. */
Error.stackTraceLimit = 0;

async function answer(question: Question): Promise<unknown> {
  switch (question.kind) {
    case 'groups':
      return readGroups(kernelFiles, question.asked.roots, question.asked);
    case 'networks':
      return readNetworks(question.asked);
    case 'tree':
      return await measureTree(question.asked);
  }
}

async function measureTree(path: string): Promise<TreeUsage | undefined> {
  const takenAtNs = startClock()();
  const walk = walkTree(path);
  for (;;) {
    const rest = performance.now() + SLICE_MS;
    do {
      const step = walk.next();
      if (step.done === true) return step.value && { takenAtNs, ...step.value };
    } while (performance.now() < rest);
    await setImmediate();
  }
}

function send(message: FromWorker): void {
  parentPort?.postMessage(message);
}

parentPort?.on('message', (question: ToWorker) => {
  if (question.kind === 'quit') process.exit();
  const { id } = question;
  answer(question).then(
    (value) => {
      send({ id, answer: value });
    },
    (error: unknown) => {
      send({ id, failure: error instanceof Error ? error.message : String(error) });
    },
  );
});
