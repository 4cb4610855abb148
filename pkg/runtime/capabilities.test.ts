import { describe, expect, test } from 'vitest';
import { CAPABILITIES } from '../sys/capability.ts';
import { allCapabilities, DEFAULT_CAPABILITIES, toOciCapabilities } from './capabilities.ts';

const ALL = new Set<string>(CAPABILITIES);
const none = { add: [], drop: [], ambient: [] };

describe('toOciCapabilities()', () => {
  test('gives fourteen by default, and lets none be inherited', () => {
    const { bounding, effective, permitted, inheritable, ambient } = toOciCapabilities(none, ALL);
    expect([...bounding].sort()).toEqual([...DEFAULT_CAPABILITIES].sort());
    expect([effective, permitted, inheritable, ambient]).toEqual([bounding, bounding, [], []]);
  });

  test.for([
    { input: { ...none, add: ['net_admin'], drop: ['ALL'] }, expected: ['CAP_NET_ADMIN'] },
    { input: { ...none, add: ['Cap_Sys_Time'], drop: ['all'] }, expected: ['CAP_SYS_TIME'] },
    { input: { ...none, drop: ['ALL'] }, expected: [] },
    { input: { ...none, add: ['ALL'] }, expected: [...CAPABILITIES] },
    { input: { ...none, add: ['all'], drop: ['ALL'] }, expected: [] },
    { input: { ...none, add: ['KILL'], drop: ['ALL', 'CAP_KILL'] }, expected: [] },
    {
      input: { ...none, add: ['ALL'], drop: ['CAP_SYS_ADMIN'] },
      expected: CAPABILITIES.filter((name) => name !== 'CAP_SYS_ADMIN'),
    },
    {
      input: { ...none, drop: ['mknod'] },
      expected: CAPABILITIES.filter((name) => name !== 'CAP_MKNOD' && DEFAULT_CAPABILITIES.includes(name)),
    },
  ])('of $input gives $expected', ({ input, expected }) => {
    expect(toOciCapabilities(input, ALL).effective).toEqual(expected);
  });

  test('gives what is ambient in every set', () => {
    const only = ['CAP_NET_BIND_SERVICE'];
    const input = { add: [], drop: ['ALL'], ambient: ['net_bind_service'] };
    expect(toOciCapabilities(input, ALL)).toEqual({
      bounding: only,
      effective: only,
      permitted: only,
      inheritable: only,
      ambient: only,
    });
  });

  test('never gives what the daemon has not', () => {
    const available = new Set(['CAP_KILL', 'CAP_CHOWN']);
    expect(toOciCapabilities({ ...none, add: ['SYS_RESOURCE'] }, available).bounding).toEqual([
      'CAP_CHOWN',
      'CAP_KILL',
    ]);
    expect(allCapabilities(available).bounding).toEqual(['CAP_CHOWN', 'CAP_KILL']);
  });

  test.for(['add', 'drop', 'ambient'] as const)('refuses an unknown name to %s', (key) => {
    expect(() => toOciCapabilities({ ...none, [key]: ['NET_ADMIN', 'CAP_NOSUCH'] }, ALL)).toThrow(
      expect.objectContaining({ code: 'invalid_argument', message: 'unknown capability "CAP_NOSUCH"' }),
    );
  });
});
