// What every operation must survive. The test of each operation calls this with itself.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Call } from '../../base/call.ts';
import { perform, recover, type Operation, type Step } from '../operation.ts';

/** A daemon that has just started: its database open, its operation at hand. */
export interface Subject extends AsyncDisposable {
  readonly operation: Operation;
  /** What exists now, on the node and on disk; `[]` if nothing was done or all was undone. */
  remains(): Promise<readonly string[]>;
}

const noop = () => undefined;
const call: Call = {
  signal: new AbortController().signal,
  log: { debug: noop, info: noop, warn: noop, error: noop },
};

/**
 * @param steps how many steps the operation has
 * @param node makes a node, and returns what starts the daemon on it, with its data in `dir`
 */
export function operationSuite(
  name: string,
  steps: number,
  node: () => (dir: string) => Promise<Subject>,
): void {
  const each = Array.from({ length: steps }, (_, index) => index);

  describe(name, () => {
    test('may run every step twice, and recovering undoes all of it', () =>
      inDirectory(async (dir) => {
        await using subject = await node()(dir);
        await perform(call, edit(subject.operation, { run: 2 }));
        const twice = await subject.remains();
        await perform(call, subject.operation);
        expect(twice).toEqual(await subject.remains());
        await recover(call, subject.operation);
        expect(await subject.remains()).toEqual([]);
      }));

    test.each(each)('leaves nothing when step %i fails after all, even if undone twice', (at) =>
      inDirectory(async (dir) => {
        await using subject = await node()(dir);
        const fail = () => Promise.reject(new Error('injected'));
        await expect(perform(call, edit(subject.operation, { undo: 2, at, after: fail }))).rejects.toThrow(
          'injected',
        );
        expect(await subject.remains()).toEqual([]);
      }),
    );

    test.each([...each, steps])('leaves nothing when the daemon dies before step %i', (at) =>
      inDirectory(async (dir) => {
        const start = node();
        {
          await using before = await start(dir);
          await new Promise<void>((died) => {
            const die = () => {
              died();
              return new Promise<never>(noop);
            };
            void perform(call, edit(before.operation, { at, before: die }));
          });
        }
        await using after = await start(dir);
        await recover(call, after.operation);
        expect(await after.remains()).toEqual([]);
      }),
    );
  });
}

async function inDirectory(body: (dir: string) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'operation-'));
  try {
    await body(dir);
  } finally {
    await rm(dir, { recursive: true });
  }
}

interface Plan {
  /** How often each step is run, and undone. */
  readonly run?: number;
  readonly undo?: number;
  /** The step, or if beyond the last the completion, around which `before` and `after` are called. */
  readonly at?: number;
  readonly before?: () => Promise<void>;
  readonly after?: () => Promise<void>;
}

function edit(operation: Operation, { run = 1, undo = 1, at, before, after }: Plan): Operation {
  const steps = operation.steps.map((step, index): Step => ({
    label: step.label,
    async run(c) {
      if (index === at) await before?.();
      for (let i = 0; i < run; i++) await step.run(c);
      if (index === at) await after?.();
    },
    async undo(c) {
      for (let i = 0; i < undo; i++) await step.undo(c);
    },
  }));
  const done = async () => {
    if (at === steps.length) await before?.();
    await operation.done();
  };
  return { ...operation, steps, done };
}
