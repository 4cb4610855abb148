import { defineConfig } from 'vitest/config';
import { patience } from './test/e2e/harness/patience.ts';

// Nothing is timed here: a slow machine needs more patience, and a test that waits in vain fails all the same.
const limits = {
  testTimeout: patience(240_000),
  hookTimeout: patience(240_000),
  expect: { poll: { timeout: patience(20_000) } },
};

// Nothing is left behind: see there.
const setup = { globalSetup: './test/setup/clear-abandoned.ts', setupFiles: './test/setup/scratch.ts' };

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['{api,cmd,hack,pkg}/**/*.test.ts'], ...setup, ...limits } },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          fileParallelism: false,
          ...setup,
          ...limits,
        },
      },
      // Of hack/test-v2 alone: these want a machine with cgroup version 2.
      {
        test: { name: 'v2', include: ['test/v2/**/*.test.ts'], fileParallelism: false, ...setup, ...limits },
      },
    ],
  },
});
