import tseslint from 'typescript-eslint';

const SIGNALS = {
  object: 'process',
  property: 'kill',
  message: 'Use signal() of pkg/sys/process.ts.',
};

export default tseslint.config(
  {
    ignores: [
      'dist/',
      'node_modules/',
      'api/**/generated/',
      '*.config.js',
      '*.config.ts',
      '.dependency-cruiser.cjs',
    ],
  },
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
      'max-params': ['error', 4],
      complexity: ['error', 10],
      'max-depth': ['error', 3],
      eqeqeq: 'error',
      'no-console': 'error',
      'no-restricted-properties': [
        'error',
        SIGNALS,
        { object: 'Date', property: 'now', message: 'It jumps: choose a clock of pkg/base/clock.ts.' },
      ],
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'Export by name.' },
        { selector: 'TSEnumDeclaration', message: 'Use a union of string literals.' },
        {
          selector:
            'CallExpression:matches([callee.name=/^(?!execSync).*Sync$/], [callee.property.name=/^(?!execSync).*Sync$/])',
          message: 'Blocks every other container on the node.',
        },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: false },
      ],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/require-await': 'off', // a handler that throws must reject, so it is async
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [{ from: 'package', name: ['test', 'describe', 'it'], package: 'vitest' }],
        },
      ],
    },
  },
  {
    // Tests, workers and the files that make one system call each may block; nothing else may.
    files: [
      '**/*.test.ts',
      '**/testing/**',
      'test/**',
      'hack/**',
      '**/*-worker.ts',
      'pkg/image/unpack/**',
      'pkg/runtime/selinux/relabel/**',
      'pkg/sys/**',
    ],
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    // Deadlines of grpc-js are times of day, and pkg/ is not for the clients of api/.
    files: ['**/*.test.ts', '**/testing/**', 'test/**', 'hack/**', 'api/channel.ts', 'pkg/base/clock.ts'],
    rules: {
      'no-restricted-properties': ['error', SIGNALS],
    },
  },
  {
    files: ['**/*.test.ts', '**/testing/**', 'test/**'],
    rules: {
      'max-lines-per-function': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/explicit-module-boundary-types': 'off',
    },
  },
);
