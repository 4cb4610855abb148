import { expect, test } from 'vitest';
import { fingerprintOf, toCredentials, type RegistryAuth } from './credentials.ts';

const none: RegistryAuth = {
  username: '',
  password: '',
  auth: '',
  serverAddress: '',
  identityToken: '',
  registryToken: '',
};

test.each([
  [
    { username: 'u', password: 'p' },
    { kind: 'password', username: 'u', password: 'p' },
  ],
  [{ auth: btoa('u:p:q') }, { kind: 'password', username: 'u', password: 'p:q' }],
  [
    { identityToken: 't', username: '<token>' },
    { kind: 'identity', token: 't' },
  ],
  [{ registryToken: 't' }, { kind: 'bearer', token: 't' }],
  [{}, { kind: 'anonymous' }],
  [{ username: 'u', password: 'p', serverAddress: 'https://other.example/v1/' }, { kind: 'anonymous' }],
  [
    { username: 'u', password: 'p', serverAddress: 'https://a.example:5000' },
    { kind: 'password', username: 'u', password: 'p' },
  ],
])('toCredentials(%j) is %j', (auth, credentials) => {
  expect(toCredentials({ ...none, ...auth }, 'a.example:5000')).toEqual(credentials);
});

test('toCredentials() refuses what is not base64 of two parts, without showing it', () => {
  expect(() => toCredentials({ ...none, auth: btoa('secret') }, 'a.example')).toThrow(
    expect.objectContaining({
      code: 'invalid_argument',
      message: expect.not.stringContaining('secret') as string,
    }),
  );
});

test('fingerprintOf() tells credentials apart', () => {
  expect(fingerprintOf({ ...none, username: 'a' })).not.toBe(fingerprintOf({ ...none, password: 'a' }));
});
