import { availableParallelism } from 'node:os';

// One Jest run for the whole workspace: unit specs beside the source, integration specs (`*.int-spec.ts`) on real
// PostgreSQL and NATS, which the global set-up starts once under `.onepool/test-…` and the tear-down removes.
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/apps', '<rootDir>/libs', '<rootDir>/tools'],
  testMatch: ['**/*.spec.ts', '**/*.int-spec.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/', '/lint-fixtures/'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        swcrc: false,
        jsc: {
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
          target: 'es2022',
          keepClassNames: true,
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  testEnvironmentOptions: { customExportConditions: ['@onepool/source', 'node', 'node-addons'] },
  // A planted bug can be tried on specs: `ONEPOOL_FAILPOINTS=stock.rules_before_locks=planted npm test`.
  setupFiles: process.env.ONEPOOL_FAILPOINTS ? ['<rootDir>/libs/testing/failpoints/src/install.ts'] : [],
  // Of the pool's spec: CI plays more histories than a person waits for, and a failure can be played again by its seed.
  globals: {
    HISTORIES: {
      numRuns: Number(process.env.ONEPOOL_HISTORIES ?? 300),
      ...(process.env.ONEPOOL_SEED && { seed: Number(process.env.ONEPOOL_SEED) }),
    },
  },
  globalSetup: '<rootDir>/libs/testing/servers/src/global-setup.ts',
  globalTeardown: '<rootDir>/libs/testing/servers/src/global-teardown.ts',
  // Specs wait for servers now and then, and the server that they share has connections for so many.
  maxWorkers: Math.min(4, availableParallelism() + 2),
  // A guard against waiting for ever, not a judgement: the machine may be busy with other things.
  testTimeout: 180_000,
};
