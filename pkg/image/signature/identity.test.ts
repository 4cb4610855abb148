import { expect, test } from 'vitest';
import { parseReference } from '../reference.ts';
import { matchesIdentity } from './identity.ts';
import type { SignedIdentity } from './policy.ts';

const DIGEST = `sha256:${'0'.repeat(64)}`;
const BY_TAG = parseReference('a.example/team/app:1');
const BY_DIGEST = parseReference(`a.example/team/app@${DIGEST}`);
const BY_BOTH = parseReference(`a.example/team/app:1@${DIGEST}`);
const REPOSITORY = 'a.example/team/app';
const remap: SignedIdentity = {
  type: 'remapIdentity',
  prefix: 'a.example/team',
  signedPrefix: 'b.example/x',
};
const exactReference: SignedIdentity = { type: 'exactReference', dockerReference: 'b.example/app:2' };
const exactRepository: SignedIdentity = { type: 'exactRepository', dockerRepository: 'b.example/app' };

test.each([
  [{ type: 'matchExact' }, BY_TAG, 'a.example/team/app:1'],
  [{ type: 'matchExact' }, BY_DIGEST, `a.example/team/app@${DIGEST}`],
  [{ type: 'matchRepoDigestOrExact' }, BY_TAG, 'a.example/team/app:1'],
  [{ type: 'matchRepoDigestOrExact' }, BY_DIGEST, 'a.example/team/app:2'],
  [{ type: 'matchRepoDigestOrExact' }, BY_BOTH, 'a.example/team/app:2'],
  [{ type: 'matchRepoDigestOrExact' }, parseReference('busybox:1'), 'busybox:1'],
  [{ type: 'matchRepository' }, BY_TAG, REPOSITORY],
  [{ type: 'matchRepository' }, BY_TAG, 'a.example/team/app:2'],
  [exactReference, BY_TAG, 'b.example/app:2'],
  [exactRepository, BY_TAG, 'b.example/app'],
  [remap, BY_TAG, 'b.example/x/app:1'],
  [remap, parseReference('a.example/team2/app:1'), 'a.example/team2/app:1'],
] satisfies [SignedIdentity, typeof BY_TAG, string][])(
  '%o takes for %s a signature of %s',
  (identity, wanted, signed) => {
    expect(matchesIdentity(identity, wanted, signed)).toBe(true);
  },
);

test.each([
  [{ type: 'matchExact' }, BY_TAG, 'a.example/team/app:2'],
  [{ type: 'matchExact' }, parseReference(REPOSITORY), REPOSITORY],
  [{ type: 'matchRepoDigestOrExact' }, BY_TAG, 'a.example/team/app:2'],
  [{ type: 'matchRepoDigestOrExact' }, BY_TAG, REPOSITORY],
  [{ type: 'matchRepoDigestOrExact' }, parseReference(REPOSITORY), REPOSITORY],
  [{ type: 'matchRepoDigestOrExact' }, BY_DIGEST, 'a.example/team/other:1'],
  [{ type: 'matchRepoDigestOrExact' }, BY_DIGEST, REPOSITORY],
  [{ type: 'matchRepository' }, BY_TAG, 'a.example/team/app/more'],
  [{ type: 'matchRepository' }, BY_TAG, ''],
  [{ type: 'matchRepository' }, BY_TAG, 'a.example/team/app@no'],
  [exactReference, BY_TAG, 'a.example/team/app:1'],
  [exactReference, BY_TAG, 'b.example/app'],
  [exactRepository, BY_TAG, REPOSITORY],
  [remap, BY_TAG, 'a.example/team/app:1'],
  [remap, parseReference('a.example/team2/app:1'), 'b.example/x2/app:1'],
] satisfies [SignedIdentity, typeof BY_TAG, string][])(
  '%o refuses for %s a signature of %s',
  (identity, wanted, signed) => {
    expect(matchesIdentity(identity, wanted, signed)).toBe(false);
  },
);
