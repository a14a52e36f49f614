import { defineConfig } from 'vitest/config';

// Real processes and real sockets on two cores: few files at once, generous time limits. No test asserts a time.
export default defineConfig({
  test: {
    include: ['{server,sim,bench,scripts}/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
