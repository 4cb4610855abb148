import { hostname } from 'node:os';
import { expect, test } from 'vitest';
import { podHostname, resolvConfOf } from './pod-files.ts';
import { aSandbox } from './testing/sandbox.ts';

test('resolvConfOf() writes search, servers and options, and leaves out what is empty', () => {
  const dns = { servers: ['10.0.0.10', 'fd00::10'], searches: ['a.local', 'b.local'], options: ['ndots:5'] };
  expect(resolvConfOf(dns)).toBe(
    'search a.local b.local\nnameserver 10.0.0.10\nnameserver fd00::10\noptions ndots:5\n',
  );
  expect(resolvConfOf({ servers: [], searches: [], options: [] })).toBe('');
});

test('podHostname() is the name of the node for a pod on its network', () => {
  const { config } = aSandbox({ phase: 'ready' });
  expect(podHostname({ ...config, hostname: 'web', network: 'pod' })).toBe('web');
  expect(podHostname({ ...config, hostname: 'web', network: 'node' })).toBe(hostname());
});
