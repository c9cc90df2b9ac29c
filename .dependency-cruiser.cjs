/** Imports point inward, one layer a folder: a picture of the folders shows no arrow that is not allowed here. */

/** One rule a folder of the lab: which other files of the lab it may import. The table is in lab/README.md. */
const labFolder = (name, path, may, comment) => ({
  name: `lab-${name}`,
  ...(comment === undefined ? {} : { comment }),
  severity: 'error',
  from: { path: `^lab/${path}` },
  to: { path: '^lab/', pathNot: [`^lab/${path}`, ...may.map((other) => `^lab/${other}`)] },
});

/** Files directly in lab/fleet: the neutral side of it. */
const FLEET = 'fleet/[^/]+\\.ts$';
const LAB_RULES = [
  labFolder('shared-imports-no-other-folder', 'shared/', []),
  labFolder('an-engine-imports-the-fleet-contract', 'fleet/[^/]+/', ['shared/', FLEET]),
  {
    name: 'lab-fleet-imports-shared-and-itself',
    severity: 'error',
    from: { path: `^lab/${FLEET}` },
    to: { path: '^lab/', pathNot: ['^lab/shared/', '^lab/fleet/'] },
  },
  {
    name: 'lab-engines-are-known-to-their-registry-alone',
    comment: 'Everything else asks FLEET_HOSTS and ENGINES of lab/fleet/fleet.ts.',
    severity: 'error',
    from: { path: '^lab/', pathNot: ['^lab/fleet/fleet\\.ts$', '^lab/fleet/[^/]+/'] },
    to: { path: '^lab/fleet/[^/]+/' },
  },
  {
    name: 'lab-engines-do-not-know-each-other',
    severity: 'error',
    from: { path: '^lab/fleet/([^/]+)/' },
    to: { path: '^lab/fleet/[^/]+/', pathNot: '^lab/fleet/$1/' },
  },
  labFolder('traffic-imports-fleet-and-shared', 'traffic/', ['shared/', FLEET]),
  labFolder('aws-protocol-imports-no-other-folder', 'aws/protocol/', []),
  labFolder('aws-referee-imports-protocol', 'aws/referee/', ['aws/protocol/']),
  labFolder('aws-template-imports-protocol', 'aws/template/', ['aws/protocol/']),
  labFolder('aws-iam-imports-protocol-and-template', 'aws/iam/', ['aws/protocol/', 'aws/template/']),
  labFolder('aws-services-import-what-is-below', 'aws/services/', ['aws/(protocol|iam|template)/', 'shared/', FLEET]),
  labFolder('aws-imports-fleet-and-shared', 'aws/', ['shared/', FLEET]),
  labFolder('runtime-wires-all-but-the-command-line', 'runtime/', ['shared/', FLEET, 'traffic/', 'aws/']),
  labFolder('configuration-is-no-lab-code', 'holdfast\\.config\\.ts$', [], 'It goes into the Lambda bundles.'),
  {
    name: 'lab-takes-only-functions-and-the-command-from-the-product',
    comment: 'lib/ and bin/ reach the lab as a synthesized template, host/ in a document of it.',
    severity: 'error',
    from: { path: '^lab/' },
    to: { path: '^(lib|bin|host|test|bench)/' },
  },
  {
    name: 'lab-command-line-is-imported-by-nothing',
    severity: 'error',
    from: { path: '^lab/', pathNot: '^lab/cli/' },
    to: { path: '^lab/cli/' },
  },
];

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
      name: 'the-command-is-a-client-of-the-api',
      comment: 'It shares what is pure, and is packed without the rest.',
      severity: 'error',
      from: { path: '^(cli/|bin/holdfast\\.ts$)' },
      to: {
        path: '^(functions|lib|bin|host|lab|test|bench)/',
        pathNot: '^functions/(domain/|runtime/system-clock\\.ts$)',
      },
    },
    {
      name: 'the-product-knows-no-command',
      severity: 'error',
      from: { path: '^(functions|lib|host|bin)/', pathNot: '^bin/(holdfast|generate)\\.ts$' },
      to: { path: '^cli/' },
    },
    {
      name: 'synth-uses-no-sdk-client',
      severity: 'error',
      from: { path: '^(lib|bin)/' },
      to: { path: 'node_modules/@aws-sdk/' },
    },
    {
      name: 'synth-takes-only-declarations-from-functions',
      comment:
        'lib/ shares types, names, the configuration and what engines declare with the functions, nothing that runs.',
      severity: 'error',
      from: { path: '^(lib|bin)/' },
      to: {
        path: '^functions/',
        pathNot: '^functions/(domain/|engines/(configuration|engine|registry)\\.ts$)',
      },
    },

    // functions/: domain ← engines, tables, telemetry, runtime ← aws ← features. Arrows point left only.
    {
      name: 'domain-imports-nothing-of-ours',
      severity: 'error',
      from: { path: '^functions/domain/' },
      to: { path: '^functions/', pathNot: '^functions/domain/' },
    },
    {
      name: 'domain-is-pure',
      comment: 'No client and no process: only the schema library, the grammar of PromQL, and hashes.',
      severity: 'error',
      from: { path: '^functions/domain/' },
      to: {
        dependencyTypes: ['npm', 'npm-dev', 'core'],
        pathNot: ['node_modules/(zod|@prometheus-io/lezer-promql)/', '^(node:)?crypto$'],
      },
    },
    {
      name: 'runtime-knows-only-the-domain',
      severity: 'error',
      from: { path: '^functions/runtime/' },
      to: { path: '^functions/', pathNot: '^functions/(runtime|domain)/' },
    },
    {
      name: 'tables-and-telemetry-know-only-the-domain',
      severity: 'error',
      from: { path: '^functions/(tables|telemetry)/' },
      to: { path: '^functions/', pathNot: '^functions/($1|domain|runtime)/' },
    },
    {
      name: 'an-engine-knows-only-its-port-and-the-domain',
      severity: 'error',
      from: { path: '^functions/engines/([^/]+)/' },
      to: {
        path: '^functions/',
        pathNot: '^functions/(engines/$1/|engines/(engine|refuse-silent|replica-rules)\\.ts$|domain/|runtime/)',
      },
    },
    {
      name: 'engines-know-only-the-domain',
      severity: 'error',
      from: { path: '^functions/engines/[^/]+\\.ts$' },
      to: { path: '^functions/', pathNot: '^functions/(engines|domain)/' },
    },
    {
      name: 'nobody-reaches-into-an-engine',
      comment: 'Only configuration, registry and clients of engines/ name one.',
      severity: 'error',
      from: { path: '^(functions|lib|bin)/', pathNot: '^functions/engines/' },
      to: { path: '^functions/engines/[^/]+/' },
    },
    {
      name: 'aws-knows-no-feature',
      severity: 'error',
      from: { path: '^functions/aws/' },
      to: { path: '^functions/(admission|api|audit|guard|inject|kill-switch|notify|probe|rollback|schedule|verdict)/' },
    },
    {
      name: 'features-do-not-know-each-other',
      comment: 'Admission alone asks inject what would be sent, so that the dry run shows exactly that.',
      severity: 'error',
      from: {
        path: '^functions/(admission|api|audit|guard|inject|kill-switch|notify|probe|rollback|schedule|verdict)/',
      },
      to: {
        path: '^functions/(admission|api|audit|guard|inject|kill-switch|notify|probe|rollback|schedule|verdict)/',
        pathNot: ['^functions/$1/', '^functions/inject/node-command\\.ts$'],
      },
    },
    {
      name: 'only-admission-asks-inject',
      severity: 'error',
      from: { path: '^functions/', pathNot: '^functions/(admission|inject)/' },
      to: { path: '^functions/inject/' },
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
    // The lab's folders.
    ...LAB_RULES,
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
