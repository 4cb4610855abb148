import { expect, onTestFinished, test, vi } from 'vitest';
import type { SandboxId } from '../base/id.ts';
import { Timeline } from '../base/timeline.ts';
import type { Operation } from './operations.ts';
import { runtimeCondition, STALL_MS } from './stall.ts';

const NOW_MS = 10 * STALL_MS;
const LONG_AGO_MS = NOW_MS - STALL_MS - 1000;

const ready = { type: 'RuntimeReady', status: true, reason: '', message: '' };

function stalled(message: unknown) {
  return { type: 'RuntimeReady', status: false, reason: 'OperationsStalled', message };
}

function anOperation(values: Partial<Operation> = {}): Operation {
  return {
    method: 'RunPodSandbox',
    subject: 'shop/web',
    startedAtMs: 0,
    changedAtMs: LONG_AGO_MS,
    stage: { name: 'cni add bridge', startedAtMs: LONG_AGO_MS },
    within: [],
    ...values,
  };
}

test('an operation that makes no progress is a stall, and it is said where it hangs', () => {
  expect(runtimeCondition([anOperation()], [], NOW_MS)).toEqual(
    stalled('RunPodSandbox of "shop/web" has been in stage "cni add bridge" for 301 s'),
  );
  expect(runtimeCondition([anOperation({ stage: undefined })], [], NOW_MS)).toEqual(
    stalled('RunPodSandbox of "shop/web" has been before its first stage for 301 s'),
  );
});

test('an old operation that makes progress is none, and neither is one that may wait', () => {
  const old = anOperation({ changedAtMs: NOW_MS - 1000 });
  const waiting = ['StopContainer', 'PullImage', 'GetContainerEvents'].map((method) =>
    anOperation({ method }),
  );
  expect(runtimeCondition([old, ...waiting], [], NOW_MS)).toEqual(ready);
});

test('a start that nobody waits for any more is one too', () => {
  const id = 'a1' as SandboxId;
  const stage = { name: 'mount root filesystem', startedAtMs: LONG_AGO_MS };
  expect(runtimeCondition([], [{ id, stage, changedAtMs: LONG_AGO_MS }], NOW_MS)).toEqual(
    stalled('pod "a1" has been in stage "mount root filesystem" for 301 s'),
  );
});

test('not all are told of', () => {
  const many = Array.from({ length: 100 }, () => anOperation());
  expect(runtimeCondition(many, [], NOW_MS)).toEqual(stalled(expect.stringMatching(/; and 97 more$/)));
});

test('nothing seems to stall because the clock of the node is set', () => {
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const { changedAtMs } = new Timeline();
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 2 * STALL_MS });
  expect(runtimeCondition([anOperation({ changedAtMs })], [])).toEqual(ready);
});
