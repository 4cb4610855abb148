import { expect, test } from 'vitest';
import { both, stage, Timeline } from './timeline.ts';

test('the open stage is the innermost that goes on', () => {
  const timeline = new Timeline();
  expect(timeline.openStage()).toBeUndefined();
  using _outer = timeline.begin('outer');
  {
    using _inner = timeline.begin('inner');
    expect(timeline.openStage()).toMatchObject({ name: 'inner' });
  }
  expect(timeline.openStage()).toMatchObject({ name: 'outer' });
});

test('a stage that begins or ends is a change', async () => {
  const timeline = new Timeline();
  const made = timeline.changedAtMs;
  await new Promise((resolve) => setTimeout(resolve, 5));
  const begun = timeline.begin('one');
  const afterBegin = timeline.changedAtMs;
  await new Promise((resolve) => setTimeout(resolve, 5));
  begun[Symbol.dispose]();
  expect(afterBegin).toBeGreaterThan(made);
  expect(timeline.changedAtMs).toBeGreaterThan(afterBegin);
});

test('both() notes each stage twice', () => {
  const [one, other] = [new Timeline(), new Timeline()];
  {
    using _stage = stage({ timeline: both(one, other) }, 'mount');
  }
  expect([one, other].map((each) => each.stages())).toMatchObject([
    [{ name: 'mount', tookMs: expect.any(Number) as number }],
    [{ name: 'mount', tookMs: expect.any(Number) as number }],
  ]);
  expect(both(undefined, one)).toBe(one);
});

test('about() notes what stages are about, and add() puts one that is over where it belongs', () => {
  const timeline = new Timeline();
  timeline.begin('run')[Symbol.dispose]();
  const web = timeline.about('web');
  web.begin('create')[Symbol.dispose]();
  web.add({ name: 'download', startedAtMs: 1, tookMs: 2 });

  expect(timeline.stages().map(({ name, of }) => [name, of])).toEqual([
    ['download', 'web'],
    ['run', undefined],
    ['create', 'web'],
  ]);
});
