import { expect, test } from 'vitest';
import { Fault } from './fault.ts';

test('Fault.from() returns a Fault as it is', () => {
  const fault = new Fault('not_found', 'cannot find it');
  expect(Fault.from(fault)).toBe(fault);
});

test.each([
  [new DOMException('x', 'AbortError'), 'cancelled'],
  [new DOMException('x', 'TimeoutError'), 'deadline_exceeded'],
  [Object.assign(new Error('no space left on device'), { code: 'ENOSPC' }), 'resource_exhausted'],
  [Object.assign(new Error('too many open files'), { code: 'EMFILE' }), 'resource_exhausted'],
  [Object.assign(new Error('read-only file system'), { code: 'EROFS' }), 'failed_precondition'],
  [new Error('a bug'), 'internal'],
  ['a text', 'internal'],
])('Fault.from(%s) is %s', (thrown, code) => {
  expect(Fault.from(thrown)).toMatchObject({ code, cause: thrown });
});

test('of several failures the first counts, and the rest is said', () => {
  const first = new Fault('unavailable', 'cannot reach "h"', { detail: { host: 'h' } });
  const all = new AggregateError([first, new Error('busy')], 'cannot undo: mount');
  expect(Fault.from(all)).toMatchObject({
    code: 'unavailable',
    message: 'cannot reach "h" (cannot undo: mount)',
    detail: { host: 'h' },
  });
});
