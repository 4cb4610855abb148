/** Who may import whom. The order of LAYERS is the architecture: each may use those before it, none beside it. */
const LAYERS = [
  ['base'],
  ['async', 'codec'],
  ['config', 'log', 'metrics', 'sys'],
  ['store'],
  ['image', 'network', 'runtime', 'stats', 'stream'],
  ['container', 'sandbox'],
  ['pod'],
  ['server'],
];

const layers = LAYERS.map((names, index) => ({
  name: `layer-${names.join('-')}`,
  comment: 'A package imports from layers below it and from itself.',
  severity: 'error',
  from: { path: `^pkg/(${names.join('|')})/` },
  to: {
    path: '^pkg/',
    pathNot: [
      '^pkg/$1/',
      ...LAYERS.slice(0, index)
        .flat()
        .map((name) => `^pkg/${name}/`),
    ],
  },
}));

const forbid = (name, from, to) => ({ name, severity: 'error', from, to });
const onlyFrom = (name, place, packages) =>
  forbid(name, { pathNot: place }, { path: `(^|/)node_modules/(${packages})/|^(${packages})$` });

module.exports = {
  forbidden: [
    ...layers,
    forbid('no-cycles', {}, { circular: true }),
    forbid('unresolved', {}, { couldNotResolve: true }),
    forbid('undeclared-package', {}, { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] }),
    forbid('wire-types-stay-in-server', { pathNot: '^(api|pkg/server|cmd|test|hack)/' }, { path: '^api/' }),
    forbid('nobody-imports-a-command', { pathNot: '^(cmd|test|hack)/' }, { path: '^cmd/' }),
    forbid(
      'tests-are-leaves',
      { pathNot: '\\.test\\.ts$|/testing/|^(test|hack)/' },
      { path: '\\.test\\.ts$|/testing/|^test/' },
    ),
    onlyFrom('grpc-stays-in-server', '^(api|pkg/server|cmd|test|hack)/', '@grpc/grpc-js|protobufjs'),
    onlyFrom(
      'leveldb-stays-in-two-files',
      '^pkg/store/(database|open-level)\\.ts$',
      'classic-level|abstract-level',
    ),
    // The tests of crashes put themselves between the daemon and the C library.
    onlyFrom('koffi-is-loaded-in-one-file', '^(pkg/sys/libc/load\\.ts$|test/e2e/harness/faults/)', 'koffi'),
    forbid(
      'syscalls-are-declared-in-one-folder',
      { pathNot: '^pkg/sys/libc/' },
      { path: '^pkg/sys/libc/load\\.ts$' },
    ),
    onlyFrom(
      'node-starts-no-processes',
      '^(cmd/davitctl/|test/|hack/|pkg/sys/testing/)|\\.test\\.ts$',
      'child_process',
    ),
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true, // count type-only imports too
    doNotFollow: { path: 'node_modules' }, // not `exclude`: that would silence the rules about packages
    exclude: { path: '^dist/' },
  },
};
