import { expect, test } from 'vitest';
import { testCall } from '../base/testing/call.ts';
import { Timeline } from '../base/timeline.ts';
import { perform, type Operation } from './operation.ts';

function setUp(duringSecond: () => void = () => undefined) {
  const done: string[] = [];
  const note = (what: string) => () => {
    done.push(what);
    return Promise.resolve();
  };
  const step = (label: string, run = note(label)) => ({ label, run, undo: note(`undo ${label}`) });
  const second = async () => {
    duringSecond();
    await note('two')();
  };
  const operation: Operation = {
    name: 'test',
    begin: note('begin'),
    steps: [step('one'), step('two', second), step('three')],
    done: note('done'),
    undone: note('undone'),
  };
  return { operation, done };
}

test('perform() begins, does each step, and ends; the timeline knows the steps', async () => {
  const { operation, done } = setUp();
  const timeline = new Timeline();
  await perform({ ...testCall, timeline }, operation);
  expect(done).toEqual(['begin', 'one', 'two', 'three', 'done']);
  expect(timeline.stages().map(({ name }) => name)).toEqual(['one', 'two', 'three']);
});

test('a caller who leaves in the middle of a step has it finished and undone, and no other begun', async () => {
  const caller = new AbortController();
  const { operation, done } = setUp(() => {
    caller.abort(new Error('left'));
  });
  await expect(perform({ ...testCall, signal: caller.signal }, operation)).rejects.toThrow('left');
  expect(done).toEqual(['begin', 'one', 'two', 'undo two', 'undo one', 'undone']);
});
