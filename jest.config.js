export default {
  testEnvironment: 'node',
  roots: [
    '<rootDir>/subgraphs',
    '<rootDir>/router',
    '<rootDir>/ops',
    '<rootDir>/dev',
    '<rootDir>/web',
    '<rootDir>/tests',
    '<rootDir>/bench',
  ],
  testMatch: ['**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2023',
          parser: { syntax: 'typescript', decorators: true },
          transform: {
            legacyDecorator: true,
            decoratorMetadata: false,
            useDefineForClassFields: false,
          },
        },
        module: { type: 'es6' },
      },
    ],
  },
  setupFilesAfterEnv: ['<rootDir>/tests/harness/setup-file.ts'],
  // Plain JavaScript, from the build: Jest does not transform what a global setup imports.
  globalSetup: '<rootDir>/dist/tests/harness/global-setup.js',
  globalTeardown: '<rootDir>/dist/tests/harness/global-teardown.js',
  // Suites start whole systems: with three on two cores, work waits longer for a core than tests and time limits allow.
  maxWorkers: 2,
  // V8 frees the modules of earlier test files late: a new worker is cheaper.
  workerIdleMemoryLimit: '400MB',
  testTimeout: 240_000,
  collectCoverageFrom: [
    'subgraphs/**/*.ts',
    'router/**/*.ts',
    'ops/**/*.ts',
    'dev/**/*.ts',
    '!**/*.test.ts',
    '!**/migrations/*.ts',
    // These run as processes of their own, in tests/start.test.ts and npm run check.
    '!dev/start.ts',
    '!dev/processes.ts',
    '!dev/watch.ts',
    '!dev/checks/compose-schema.ts',
    '!dev/checks/check-migrations.ts',
    '!{dev,ops}/*/index.ts',
  ],
  coverageReporters: ['text-summary', 'lcovonly'],
  coverageThreshold: { global: { lines: 85 } },
};
