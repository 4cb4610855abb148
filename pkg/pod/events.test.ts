import { expect, test } from 'vitest';
import { aContainer, process, shim } from '../container/testing/container.ts';
import type { Container } from '../container/container.ts';
import type { ContainerState } from '../container/phase.ts';
import { aSandbox } from '../sandbox/testing/sandbox.ts';
import { PodEvents, type PodEvent } from './events.ts';

const alive = { process, shim };
const running = { ...alive, startedAtNs: 1n };
const created = aContainer({ phase: 'created', ...alive });
const exited: ContainerState = {
  phase: 'exited',
  exitCode: 0,
  startedAtNs: 1n,
  finishedAtNs: 2n,
  reason: 'Completed',
  message: '',
};
const ready = aSandbox({ phase: 'ready' });

function setUp() {
  const containers: Container[] = [created];
  const events = new PodEvents({
    sandboxes: { find: () => ready },
    containers: { list: () => containers },
    now: () => 7n, // a clock that stands still
  });
  return { events };
}

async function take(events: AsyncIterable<PodEvent>, count: number): Promise<PodEvent[]> {
  const taken: PodEvent[] = [];
  for await (const event of events) {
    taken.push(event);
    if (taken.length === count) break;
  }
  return taken;
}

const forever = new AbortController().signal;

/** Begins to listen; the first step of a generator runs at once. */
function listen(events: PodEvents, signal = forever) {
  const iterator = events.subscribe(signal)[Symbol.asyncIterator]();
  const first = iterator.next();
  return { first, rest: { [Symbol.asyncIterator]: () => iterator } };
}

test('the life of a container is four events, in order, each later than the one before', async () => {
  const { events } = setUp();
  const { first, rest } = listen(events);
  const lives: readonly (Container | undefined)[] = [
    aContainer({ phase: 'creating' }),
    created,
    aContainer({ phase: 'starting', ...running }),
    aContainer({ phase: 'running', ...running }),
    aContainer({ phase: 'stopping', ...running, killAtUptimeMs: 1, signalled: true }),
    aContainer(exited),
    aContainer({ phase: 'removing', last: exited }),
    undefined,
  ];
  lives.forEach((after, index) => {
    events.containerChanged(lives[index - 1], after);
  });
  const told = [(await first).value as PodEvent, ...(await take(rest, 3))];
  expect(told.map(({ type, id, atNs }) => ({ type, id, atNs }))).toEqual([
    { type: 'created', id: created.id, atNs: 7n },
    { type: 'started', id: created.id, atNs: 8n },
    { type: 'stopped', id: created.id, atNs: 9n },
    { type: 'deleted', id: created.id, atNs: 10n },
  ]);
  expect(told[0]).toMatchObject({ sandbox: ready, containers: [created] });
});

test('a creation that is undone is no event', async () => {
  const { events } = setUp();
  const { first, rest } = listen(events);
  events.containerChanged(aContainer({ phase: 'creating' }), undefined);
  events.sandboxChanged(aSandbox({ phase: 'creating' }), undefined);
  events.sandboxChanged(aSandbox({ phase: 'creating' }), ready);
  expect([(await first).value, ...(await take(rest, 1))]).toMatchObject([
    { type: 'created', id: ready.id },
    { type: 'started', id: ready.id },
  ]);
});

test('a subscriber that does not read is cut off with a count, and the others are not', async () => {
  const { events } = setUp();
  const slow = listen(events);
  for (let i = 0; i < 5000; i++) events.containerChanged(created, aContainer(exited));
  await expect(slow.first).rejects.toMatchObject({
    code: 'resource_exhausted',
    message: 'the subscriber reads too slowly and lost 904 events',
  });
  const next = listen(events);
  events.containerChanged(created, aContainer(exited));
  expect((await next.first).value).toMatchObject({ type: 'stopped' });
});

test('a subscription ends when its signal aborts', async () => {
  const { events } = setUp();
  const abort = new AbortController();
  const { first } = listen(events, abort.signal);
  abort.abort();
  expect(await first).toEqual({ done: true, value: undefined });
});
