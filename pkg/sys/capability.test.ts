import { expect, test } from 'vitest';
import { CAPABILITIES, effectiveCapabilities, parseEffectiveCapabilities } from './capability.ts';

test('parseEffectiveCapabilities() reads the mask', () => {
  expect([...parseEffectiveCapabilities('CapPrm:\tff\nCapEff:\t0000010000000003\n')]).toEqual([
    'CAP_CHOWN',
    'CAP_DAC_OVERRIDE',
    'CAP_CHECKPOINT_RESTORE',
  ]);
});

test('parseEffectiveCapabilities() rejects a status without a mask', () => {
  expect(() => parseEffectiveCapabilities('Name: x\n')).toThrow('cannot find CapEff');
});

test('effectiveCapabilities() knows what tests run with', async () => {
  expect(CAPABILITIES).toHaveLength(41);
  expect(await effectiveCapabilities()).toContain('CAP_SYS_ADMIN');
});
