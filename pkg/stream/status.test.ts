import { expect, test } from 'vitest';
import { Fault } from '../base/fault.ts';
import { encodeStatus, exitStatus, faultStatus, SUCCESS } from './status.ts';

const json = (status: Parameters<typeof encodeStatus>[0]): unknown =>
  JSON.parse(encodeStatus(status, 4).toString());

test('encodeStatus() tells exit codes in the way of Kubernetes', () => {
  expect(json(exitStatus(7))).toEqual({
    metadata: {},
    status: 'Failure',
    message: 'command terminated with non-zero exit code: exit status 7',
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: '7' }] },
  });
  expect(json(exitStatus(0))).toEqual({ metadata: {}, status: 'Success' });
});

test('encodeStatus() tells faults', () => {
  expect(json(faultStatus(new Fault('internal', 'it broke')))).toMatchObject({
    status: 'Failure',
    message: 'Internal error occurred: it broke',
    code: 500,
  });
});

test('encodeStatus() is text before version 4, and nothing for success', () => {
  const of = (version: number, code: number) => encodeStatus(exitStatus(code), version).toString();
  expect([of(3, 0), of(1, 2)]).toEqual(['', 'command terminated with non-zero exit code: exit status 2']);
  expect(encodeStatus(SUCCESS, 2)).toHaveLength(0);
});
