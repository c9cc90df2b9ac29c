/** Imports point inward: handlers → features → the domain and shared; never across the seams. */
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true, dependencyTypesNot: ['type-only'] } },
    {
      name: 'functions-know-neither-synth-nor-lab',
      comment: 'The lab replaces the endpoint, not the code; lib/ exists at synth time only.',
      severity: 'error',
      from: { path: '^functions/' },
      to: { path: '^(lib|bin|lab|test|bench|host)/' },
    },
    {
      name: 'product-knows-no-lab',
      severity: 'error',
      from: { path: '^(lib|bin|host)/' },
      to: { path: '^(lab|test|bench)/' },
    },
    {
      name: 'synth-uses-no-sdk-client',
      severity: 'error',
      from: { path: '^(lib|bin)/' },
      to: { path: 'node_modules/@aws-sdk/' },
    },
    {
      name: 'synth-takes-only-the-domain-from-functions',
      comment: 'lib/ may share types, names and the configuration schema with the functions, nothing that runs.',
      severity: 'error',
      from: { path: '^(lib|bin)/' },
      to: { path: '^functions/', pathNot: '^functions/experiment/' },
    },
    {
      name: 'domain-is-pure',
      severity: 'error',
      from: { path: '^functions/experiment/' },
      to: {
        path: [
          'node_modules/@aws-sdk/',
          'node_modules/ioredis/',
          '^functions/(?!experiment/|shared/clock|audit/entry)',
        ],
      },
    },
    {
      name: 'no-lambda-imports-a-lambda',
      severity: 'error',
      from: { path: '\\.lambda\\.ts$' },
      to: { path: '\\.lambda\\.ts$' },
    },
    {
      name: 'nothing-imports-an-entry-point',
      severity: 'error',
      from: { pathNot: '^test/' },
      to: { path: '\\.lambda\\.ts$' },
    },
    {
      name: 'cdk-and-dev-tools-stay-out-of-the-bundles',
      severity: 'error',
      from: { path: '^functions/' },
      to: { path: 'node_modules/(aws-cdk-lib|constructs|cdk-nag|dynalite|aws-local-stepfunctions|@cloud-copilot)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
