import { status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { Fault, FAULT_CODES } from '../base/fault.ts';
import { messageOf, toStatus } from './status.ts';

test('every fault code has a status, and no two share one', () => {
  const codes = FAULT_CODES.map((code) => toStatus(new Fault(code, 'x')).code);
  expect(new Set(codes).size).toBe(FAULT_CODES.length);
});

test.each(['RegistryUnavailable', 'SignatureValidationFailed'])(
  'what the kubelet knows as %s has the code with which it looks at the message',
  (name) => {
    expect(toStatus(new Fault('unavailable', `${name}: cannot pull`)).code).toBe(status.UNKNOWN);
    expect(toStatus(new Fault('unavailable', `cannot pull: ${name}: `)).code).toBe(status.UNAVAILABLE);
  },
);

test('a message tells of the system errors behind it, once each', () => {
  const enoent = Object.assign(new Error('ENOENT: no such file'), { errno: -2, syscall: 'open' });
  const middle = new Fault('internal', 'cannot read "/x"', { cause: enoent });
  expect(messageOf(new Fault('internal', 'cannot start "c1"', { cause: middle }))).toBe(
    'cannot start "c1": cannot read "/x": ENOENT: no such file',
  );
});
