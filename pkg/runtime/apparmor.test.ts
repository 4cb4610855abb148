import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { testCall } from '../base/testing/call.ts';
import { checkAppArmor } from './apparmor.ts';

const directory = mkdtempSync(join(tmpdir(), 'davit-test-'));
afterAll(() => {
  rmSync(directory, { recursive: true });
});

function kernelThatSays(text: string): string {
  const path = join(directory, `enabled-${text.trim()}`);
  writeFileSync(path, text);
  return path;
}

const missing = join(directory, 'missing');

test.each(['unset', 'unconfined', 'runtime_default'] as const)('%s is accepted anywhere', async (kind) => {
  await expect(checkAppArmor(testCall, { kind }, missing)).resolves.toBeUndefined();
});

test.each([missing, kernelThatSays('N\n')])(
  'a profile is refused where the kernel has none: %s',
  async (path) => {
    await expect(
      checkAppArmor(testCall, { kind: 'localhost', reference: 'web' }, path),
    ).rejects.toMatchObject({
      code: 'failed_precondition',
      message: 'cannot use AppArmor profile "web": the kernel of this node has no AppArmor',
    });
  },
);

test('a profile is refused by name where it could be had', async () => {
  const path = kernelThatSays('Y\n');
  await expect(checkAppArmor(testCall, { kind: 'localhost', reference: 'web' }, path)).rejects.toMatchObject({
    code: 'unimplemented',
  });
});
