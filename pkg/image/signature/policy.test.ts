import { expect, test } from 'vitest';
import { parseReference } from '../reference.ts';
import { parsePolicy } from './policy.ts';
import { archiveSubject, registrySubject, requirementsOf } from './scope.ts';

const ACCEPT = [{ type: 'insecureAcceptAnything' }];
const parse = (policy: object) => parsePolicy(JSON.stringify(policy), 'policy');
const withRequirement = (requirement: object) => parse({ default: [requirement] });

test('a policy with everything that is understood is read', () => {
  const signed = {
    type: 'sigstoreSigned',
    fulcio: { caData: 'YQ==', oidcIssuer: 'https://issuer.example', subjectEmail: 'a@b.example' },
    rekorPublicKeyPath: '/etc/rekor.pub',
    signedIdentity: { type: 'remapIdentity', prefix: 'mirror.example', signedPrefix: 'docker.io' },
  };
  const policy = parse({ default: ACCEPT, transports: { docker: { 'a.example/b': [signed] }, other: {} } });
  expect(policy.transports['docker']?.['a.example/b']).toMatchObject([
    { ...signed, fulcio: { caData: Buffer.from('a') } },
  ]);
});

test('a signature must name the image exactly, unless the policy says otherwise', () => {
  const [requirement] = withRequirement({ type: 'sigstoreSigned', keyPath: '/k' }).default;
  expect(requirement).toMatchObject({ signedIdentity: { type: 'matchRepoDigestOrExact' } });
});

test.each<[string, object]>([
  ['no default', { transports: {} }],
  ['an empty default', { default: [] }],
  ['an unknown key', { default: ACCEPT, transport: {} }],
  ['an empty scope', { default: ACCEPT, transports: { docker: { 'a.example': [] } } }],
])('a policy with %s is refused', (_, policy) => {
  expect(() => parse(policy)).toThrow(/^cannot read policy:/);
});

test.each<[string, object]>([
  ['an unknown type', { type: 'accept' }],
  ['a type that is not here', { type: 'signedBy', keyType: 'GPGKeys', keyPath: '/k' }],
  ['an unknown key', { type: 'reject', why: '' }],
  ['no key', { type: 'sigstoreSigned' }],
  ['two keys', { type: 'sigstoreSigned', keyPath: '/k', keyData: 'YQ==' }],
  ['an empty list of keys', { type: 'sigstoreSigned', keyPaths: [] }],
  ['a relative path', { type: 'sigstoreSigned', keyPath: 'k' }],
  ['data that is not base64', { type: 'sigstoreSigned', keyData: '-----' }],
  ['an unknown identity', { type: 'sigstoreSigned', keyPath: '/k', signedIdentity: { type: 'any' } }],
  [
    'fulcio without a log',
    { type: 'sigstoreSigned', fulcio: { caPath: '/ca', oidcIssuer: 'i', subjectEmail: 'e' } },
  ],
  [
    'fulcio without an issuer',
    { type: 'sigstoreSigned', fulcio: { caPath: '/ca', subjectEmail: 'e' }, rekorPublicKeyPath: '/r' },
  ],
  [
    'fulcio with two authorities',
    {
      type: 'sigstoreSigned',
      fulcio: { caPath: '/ca', caData: 'YQ==', oidcIssuer: 'i', subjectEmail: 'e' },
      rekorPublicKeyPath: '/r',
    },
  ],
  [
    'two logs',
    { type: 'sigstoreSigned', keyPath: '/k', rekorPublicKeyPath: '/r', rekorPublicKeyData: 'YQ==' },
  ],
])('a requirement with %s is refused', (_, requirement) => {
  expect(() => withRequirement(requirement)).toThrow(/^cannot read policy:/);
});

test('a scope that is there twice is refused', () => {
  const text = '{"default":[{"type":"reject"}],"transports":{"docker":{"a":[{"type":"reject"}],"a":[]}}}';
  expect(() => parsePolicy(text, 'policy')).toThrow(/"a" is there twice/);
});

test('the scopes of an image go from its tag to all registries', () => {
  expect(registrySubject(parseReference('a.b.example:5000/team/app:1')).scopes).toEqual([
    'a.b.example:5000/team/app:1',
    'a.b.example:5000/team/app',
    'a.b.example:5000/team',
    'a.b.example:5000',
    '*.b.example',
    '*.example',
  ]);
});

test('a tag beside a digest has no scope', () => {
  const digest = `sha256:${'0'.repeat(64)}`;
  expect(registrySubject(parseReference(`busybox:1@${digest}`)).scopes[0]).toBe(
    `docker.io/library/busybox@${digest}`,
  );
});

test.each([
  ['docker.io/library/busybox:1', 'tag'],
  ['docker.io/library/busybox:2', 'repository'],
  ['docker.io/library/busybox2:1', 'namespace'],
  ['docker.io/other/app:1', 'registry'],
  ['quay.io/other/app:1', 'wildcard'],
  ['registry.example/app:1', 'transport'],
])('of %s the requirements are those of its %s', (name, scope) => {
  const at = (keyPath: string) => [{ type: 'sigstoreSigned', keyPath: `/${keyPath}` }];
  const policy = parse({
    default: at('default'),
    transports: {
      docker: {
        'docker.io/library/busybox:1': at('tag'),
        'docker.io/library/busybox': at('repository'),
        'docker.io/library': at('namespace'),
        'docker.io': at('registry'),
        '*.io': at('wildcard'),
        '': at('transport'),
      },
    },
  });
  expect(requirementsOf(policy, registrySubject(parseReference(name)))).toMatchObject([
    { keyPath: `/${scope}` },
  ]);
});

test('what no scope covers has the requirements of the default', () => {
  const policy = parse({ default: [{ type: 'reject' }], transports: { docker: { 'a.example': ACCEPT } } });
  expect(requirementsOf(policy, registrySubject(parseReference('b.example/app')))).toEqual([
    { type: 'reject' },
  ]);
});

test('the scopes of an OCI archive are its path and the directories above', () => {
  expect(archiveSubject('oci', '/var/images/a.tar')).toEqual({
    transport: 'oci-archive',
    scopes: ['/var/images/a.tar', '/var/images', '/var'],
  });
  expect(archiveSubject('docker', '/var/images/a.tar')).toEqual({ transport: 'docker-archive', scopes: [] });
});
