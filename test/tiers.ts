/** What counts as one thing in the closing table of a run. */
export interface Tier {
  name: string;
  command: string[];
  /** What it may take on a machine with two processors: half as much again as it did when this was written. */
  quotaSeconds: number;
  /** Vitest tiers are counted test by test, others as one. */
  vitest?: true;
  /** Network namespaces, iptables: needs Linux and root. */
  needsRoot?: true;
  environment?: Record<string, string>;
}

/** Tiers in the order in which they run. */
type Chain = readonly Tier[];

/** Chains run side by side. What is to be prepared is started before them, and awaited by the tiers that need it. */
interface Stage {
  prepares?: readonly ('guest image' | 'lab')[];
  chains: readonly Chain[];
}

/** Stages run one after the other. */
export type Run = readonly Stage[];

function checked(name: string, quotaSeconds: number, ...command: string[]): Tier {
  return { name, command, quotaSeconds };
}

function tests(project: string, quotaSeconds: number, environment?: Record<string, string>): Tier {
  const command = ['vitest', 'run', '--project', project];
  const tier: Tier = { name: project, command, quotaSeconds, vitest: true, ...(environment && { environment }) };
  return project.startsWith('unit') ? tier : { ...tier, needsRoot: true };
}

const TYPES = checked('types', 30, 'tsc', '--noEmit', '-p', '.');
const STATIC: Chain = [
  checked('lint', 15, 'biome', 'check', '.'),
  checked('shell lint', 15, 'sh', 'test/lint-shell.sh'),
  checked('python types', 15, 'pyright'),
  checked('python lint', 5, 'node', 'test/lint-python.ts'),
  checked(
    'dependency rules',
    20,
    'sh',
    'test/dependency-rules.sh',
    'bin',
    'cli',
    'lib',
    'functions',
    'lab',
    'test',
    'bench',
  ),
  checked('unused code', 20, 'knip'),
  // Set-up has pip where it may install Debian's packages.
  { ...checked('template', 30, 'node', 'test/lint-template.ts'), needsRoot: true },
];

const CHANGE: Run = [
  { prepares: ['guest image'], chains: [[TYPES]] },
  // It takes about as long as these to be up; from then on it takes their processors.
  { prepares: ['lab'], chains: [[...STATIC, tests('unit', 75)]] },
  { chains: [[tests('system', 330), tests('host', 220), tests('host-alone', 80)]] },
  // Both wait more than they compute.
  { chains: [[tests('guest', 200)], [tests('lab', 230)]] },
];

const EXHAUSTIVE: Run = [
  {
    prepares: ['guest image', 'lab'],
    chains: [
      [
        tests('unit-exhaustive', 120),
        tests('histories', 30),
        tests('system-exhaustive', 960),
        tests('system-kafka', 720),
        tests('system-cassandra', 720),
        tests('host-exhaustive', 400),
        tests('guest-exhaustive', 900),
      ],
    ],
  },
];

const NO_QUOTA = Number.POSITIVE_INFINITY;
const REPEATS = 3;
/** More random cases for each property of the unit tests. */
const PROPERTY_RUNS = { PROPERTY_RUNS: '5000' };

function nightly(): Run {
  const inNamespaces = ['host', 'host-exhaustive', 'host-alone', 'guest', 'guest-exhaustive', 'lab'];
  const repeated = Array.from({ length: REPEATS }, () => inNamespaces).flat();
  const exhaustive = ['system-exhaustive', 'system-kafka', 'system-cassandra'];
  const rare = ['system-kafka-nightly', 'system-cassandra-nightly', 'system-engines', 'system-nightly'];
  const once = ['histories', 'system', ...exhaustive, ...rare];
  const chain = [...repeated, ...once].map((project) => tests(project, NO_QUOTA));
  return [{ prepares: ['guest image'], chains: [[tests('unit', NO_QUOTA, PROPERTY_RUNS), ...chain]] }];
}

export const RUNS: Record<string, () => Run> = { change: () => CHANGE, exhaustive: () => EXHAUSTIVE, nightly };
