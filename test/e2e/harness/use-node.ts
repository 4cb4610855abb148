// A node for the tests of one file. After each test its pods are removed and nothing of them may be left; after
// the last one nothing at all.

import { statSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { logSince } from './daemon-process.ts';
import { TestNode, type NodeOptions } from './node.ts';
import { patience } from './patience.ts';

const HOOK_MS = patience(240_000);

export function useNode(options: NodeOptions = {}): TestNode {
  const node = new TestNode(options);
  beforeAll(() => node.open(), HOOK_MS);
  beforeEach(({ onTestFailed }) => {
    const start = statSync(node.place.daemonLog).size;
    onTestFailed(({ task }) => {
      process.stderr.write(`\nlog of the daemon in "${task.name}":\n${logSince(node.place, start)}\n`);
    });
  });
  afterEach(async () => {
    if (!node.daemon.isRunning) await node.start(); // a test that failed may have left it so
    await node.removeAllPods();
    expect(await node.leaks(), 'what the test has left behind').toEqual([]);
  }, HOOK_MS);
  afterAll(() => node.close(), HOOK_MS);
  return node;
}
