import { describe, expect, test } from 'vitest';
import { parseLogLine, parseTime } from './log-line.ts';

const TIME = '2026-11-21T02:39:10.123456789+01:00';

describe('parseLogLine()', () => {
  test.for([
    [`${TIME} stdout F hello world\n`, { stream: 'stdout', partial: false, content: 'hello world' }],
    [`${TIME} stderr P half`, { stream: 'stderr', partial: true, content: 'half' }],
    [`${TIME} stdout F \n`, { stream: 'stdout', partial: false, content: '' }],
    [`${TIME} stdout F\n`, { stream: 'stdout', partial: false, content: '' }],
    [`${TIME} stdout F  two spaces \n`, { stream: 'stdout', partial: false, content: ' two spaces ' }],
    [`${TIME} stdout P:T1:T2 tags\n`, { stream: 'stdout', partial: true, content: 'tags' }],
  ] as const)('of %j is %j', ([text, expected]) => {
    const { timestamp, timeNs, content, ...rest } = parseLogLine(Buffer.from(text));
    expect({ ...rest, content: content.toString() }).toEqual(expected);
    expect([timestamp, timeNs]).toEqual([TIME, 1_795_225_150_123_456_789n]);
  });

  test('keeps bytes that are no text', () => {
    const bytes = Buffer.from([0xff, 0x00, 0x0d]);
    const line = Buffer.concat([Buffer.from(`${TIME} stdout F `), bytes, Buffer.from('\n')]);
    expect(parseLogLine(line).content).toEqual(bytes);
  });

  test.for([
    '',
    '\n',
    'hello',
    `${TIME} stdout`,
    `${TIME} stdin F x`,
    `${TIME} stdout X x`,
    'yesterday stdout F x',
  ])('refuses %j', (text) => {
    expect(() => parseLogLine(Buffer.from(text))).toThrow(expect.objectContaining({ code: 'data_loss' }));
  });
});

test.for([
  ['1970-01-01T00:00:01Z', 1_000_000_000n],
  ['1970-01-01T00:00:00.5+00:00', 500_000_000n],
  ['2026-11-21T02:39:10.000000001Z', 1_795_228_750_000_000_001n],
  ['2026-13-21T02:39:10Z', undefined],
  ['2026-11-21', undefined],
] as const)('parseTime() of %s is %s', ([text, expected]) => {
  expect(parseTime(text)).toBe(expected);
});
