import { defineConfig } from 'vitest/config';

// Nothing is timed here: a slow machine needs more patience, and a test that waits in vain fails all the same.
const patience = { testTimeout: 120_000, hookTimeout: 120_000, expect: { poll: { timeout: 20_000 } } };

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['{api,cmd,hack,pkg}/**/*.test.ts'], ...patience } },
      { test: { name: 'e2e', include: ['test/e2e/**/*.test.ts'], fileParallelism: false, ...patience } },
    ],
  },
});
