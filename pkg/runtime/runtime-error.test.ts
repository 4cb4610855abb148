import { expect, test } from 'vitest';
import { parseSyncLine } from './conmon-sync.ts';
import { parseRuntimeError, runtimeFault } from './runtime-error.ts';

const RUNC = String.raw`time="2026-11-21T02:31:44Z" level=warning msg="unable to get oom kill count"
time="2026-11-21T02:31:44Z" level=error msg="runc create failed: unable to start container process: exec: \"nosuch\": executable file not found in $PATH"
`;

test.for([
  [RUNC, 'exec: "nosuch": executable file not found in $PATH'],
  [
    'executable file `nosuch` not found in $PATH: No such file or directory\n',
    'executable file `nosuch` not found in $PATH: No such file or directory',
  ],
  ['2026-11-21T02:31:44.000001Z: mount `proc`: Permission denied\n', 'mount `proc`: Permission denied'],
  ['time="x" level=error msg="container does not exist"', 'container does not exist'],
  ['', ''],
  [String.raw`level=error msg="a \q b"`, String.raw`a \q b`],
] as const)('of %j the error is %j', ([stderr, expected]) => {
  expect(parseRuntimeError(stderr)).toBe(expected);
});

test('a very long error is cut', () => {
  expect(parseRuntimeError('x'.repeat(5000))).toHaveLength(1000);
});

test.for([
  [RUNC, 'invalid_argument'],
  ['exec: "/bin/data": permission denied', 'invalid_argument'],
  ['exec /bin/data: exec format error', 'invalid_argument'],
  ['error during container init: error mounting "/nosuch": no such file or directory', 'internal'],
  ['', 'internal'],
] as const)('of %j the fault is %s', ([stderr, code]) => {
  expect(runtimeFault('create container "4f1c"', stderr, 'exit code 1').code).toBe(code);
});

test('a fault without words says how the runtime ended', () => {
  expect(runtimeFault('start container "4f1c"', '', 'exit code 1').message).toBe(
    'cannot start container "4f1c": exit code 1',
  );
});

test.for([
  ['{"pid": 4711}', { pid: 4711, message: '' }],
  ['{"data": 0}', { pid: 0, message: '' }],
  ['{"pid": -1, "message": "no\\nway"}', { pid: -1, message: 'no\nway' }],
  [
    '{"pid": -1, "message": "bad \u001f byte"}',
    { pid: -1, message: '{"pid": -1, "message": "bad \u001f byte"}' },
  ],
  ['', { pid: -1, message: '' }],
] as const)('of the sync pipe %j is %j', ([text, expected]) => {
  expect(parseSyncLine(text)).toEqual(expected);
});
