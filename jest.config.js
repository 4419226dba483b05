import { availableParallelism } from 'node:os';

// One Jest run for the whole workspace: unit specs beside the source, integration specs (`*.int-spec.ts`) on real
// PostgreSQL and NATS, which the global set-up starts once under `.onepool/test-…` and the tear-down removes. The scripts
// load `libs/testing/apps/src/specs-from-source.ts` first, which makes Node load sources as the build would emit them.
export default {
  // Files are loaded by plain Node, in child processes: what they import is loaded once by each. See docs/adr/0034.
  runner: 'jest-light-runner/child-process',
  testSequencer: '<rootDir>/libs/testing/apps/src/longest-first.ts',
  transform: {},
  testEnvironment: 'node',
  roots: ['<rootDir>/apps', '<rootDir>/libs', '<rootDir>/tools'],
  testMatch: ['**/*.spec.ts', '**/*.int-spec.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/', '/lint-fixtures/'],
  setupFiles: [
    '<rootDir>/libs/testing/apps/src/histories.ts',
    // A planted bug can be tried on specs: `ONEPOOL_FAILPOINTS=stock.rules_before_locks=planted npm test`.
    ...(process.env.ONEPOOL_FAILPOINTS ? ['<rootDir>/libs/testing/failpoints/src/install.ts'] : []),
  ],
  globalSetup: '<rootDir>/libs/testing/servers/src/global-setup.ts',
  globalTeardown: '<rootDir>/libs/testing/servers/src/global-teardown.ts',
  // Specs wait for servers now and then, and the server that they share has connections for so many.
  maxWorkers: Math.min(4, availableParallelism() + 2),
};
