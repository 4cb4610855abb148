import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { defaultProfileText } from './default-profile.ts';

test.each([true, false])("the parser takes the profile, with the distribution's files: %s", (there) => {
  const input = defaultProfileText({
    daemonProfile: '/usr/bin/davit',
    has: { abi: there, tunables: there, base: there },
  });
  const args = ['--skip-kernel-load', '--skip-cache', '--names'];
  expect(execFileSync('apparmor_parser', args, { input, encoding: 'utf8' })).toBe('davit-default\n');
  execFileSync('apparmor_parser', ['--skip-kernel-load', '--skip-cache', '--quiet'], {
    input,
    stdio: 'pipe',
  });
});
