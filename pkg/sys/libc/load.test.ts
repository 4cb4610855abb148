import { expect, test } from 'vitest';
import { pidfdSendSignal } from './process.ts';

test('ten thousand failing calls all report their own error', () => {
  const codes = new Set<string>();
  for (let i = 0; i < 10_000; i++) {
    try {
      pidfdSendSignal(-1, 0);
    } catch (error) {
      codes.add((error as { code: string }).code);
    }
  }
  expect([...codes]).toEqual(['EBADF']);
});
