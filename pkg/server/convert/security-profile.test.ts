import { expect, test } from 'vitest';
import { SecurityProfileProfileType } from '../../../api/cri/generated/types.ts';
import { toProfileChoice } from './security-profile.ts';

const fields = { field: 'a.seccomp', oldField: 'a.seccomp_profile_path' };
const { RuntimeDefault, Unconfined, Localhost } = SecurityProfileProfileType;

test.for([
  ['', { kind: 'unset' }],
  ['unconfined', { kind: 'unconfined' }],
  ['runtime/default', { kind: 'runtime_default' }],
  ['docker/default', { kind: 'runtime_default' }],
  ['localhost//a/b.json', { kind: 'localhost', reference: '/a/b.json' }],
  ['localhost/b.json', { kind: 'localhost', reference: 'b.json' }],
] as const)('the old string "%s" is %j', ([old, expected]) => {
  expect(toProfileChoice(undefined, old, fields)).toEqual(expected);
});

test.for([
  [RuntimeDefault, '', { kind: 'runtime_default' }],
  [Unconfined, '', { kind: 'unconfined' }],
  [Localhost, '/a/b.json', { kind: 'localhost', reference: '/a/b.json' }],
  [Localhost, 'localhost/web', { kind: 'localhost', reference: 'web' }],
] as const)('type %i with "%s" is %j', ([profileType, localhostRef, expected]) => {
  expect(toProfileChoice({ profileType, localhostRef }, '', fields)).toEqual(expected);
});

test('the message wins over the string', () => {
  const profile = { profileType: Unconfined, localhostRef: '' };
  expect(toProfileChoice(profile, 'runtime/default', fields)).toEqual({ kind: 'unconfined' });
});

test.for([
  [Localhost, '', 'a.seccomp.localhost_ref is missing'],
  [RuntimeDefault, '/a', 'a.seccomp.localhost_ref "/a" is set, but profile_type is not Localhost'],
  [9, '', 'a.seccomp.profile_type "9" is not known'],
] as const)('type %i with "%s" is refused', ([profileType, localhostRef, message]) => {
  expect(() => toProfileChoice({ profileType, localhostRef }, '', fields)).toThrow(message);
});

test.for([
  ['localhost/', 'a.seccomp_profile_path is missing'],
  ['my/profile', 'a.seccomp_profile_path "my/profile" is not a profile'],
] as const)('the old string "%s" is refused', ([old, message]) => {
  expect(() => toProfileChoice(undefined, old, fields)).toThrow(message);
});
