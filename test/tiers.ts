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

export interface Run {
  /** Chains of one stage run side by side, stages one after the other. */
  stages: readonly (readonly Chain[])[];
  /** Started with the first stage, awaited before the tiers that need it. */
  prepares: readonly ('guest image' | 'lab')[];
}

function checked(name: string, quotaSeconds: number, ...command: string[]): Tier {
  return { name, command, quotaSeconds };
}

function tests(project: string, quotaSeconds: number, environment?: Record<string, string>): Tier {
  const command = ['vitest', 'run', '--project', project];
  const tier: Tier = { name: project, command, quotaSeconds, vitest: true, ...(environment && { environment }) };
  return project === 'unit' ? tier : { ...tier, needsRoot: true };
}

const STATIC: Chain = [
  checked('types', 40, 'tsc', '--noEmit', '-p', '.'),
  checked('lint', 15, 'biome', 'check', '.'),
  checked('shell lint', 20, 'sh', 'test/lint-shell.sh'),
  checked('dependency rules', 30, 'sh', 'test/dependency-rules.sh', 'bin', 'lib', 'functions', 'lab', 'test', 'bench'),
  checked('unused code', 30, 'knip'),
];

const CHANGE: Run = {
  prepares: ['guest image', 'lab'],
  stages: [
    [STATIC, [tests('unit', 60)]],
    // The lab is up by now, and needs the processors that others would take from it.
    [[tests('system', 350), tests('host', 200), tests('host-alone', 60)]],
    // Both wait more than they compute.
    [[tests('guest', 220)], [tests('lab', 100)]],
  ],
};

const EXHAUSTIVE: Run = {
  prepares: ['guest image', 'lab'],
  stages: [[[tests('system-exhaustive', 400), tests('host-exhaustive', 400), tests('guest-exhaustive', 900)]]],
};

const NO_QUOTA = Number.POSITIVE_INFINITY;
const REPEATS = 3;
/** More random cases for each property of the unit tests. */
const PROPERTY_RUNS = { PROPERTY_RUNS: '5000' };

function nightly(): Run {
  const inNamespaces = ['host', 'host-exhaustive', 'host-alone', 'guest', 'guest-exhaustive', 'lab'];
  const repeated = Array.from({ length: REPEATS }, () => inNamespaces).flat();
  const once = ['system', 'system-exhaustive', 'system-nightly'];
  const chain = [...repeated, ...once].map((project) => tests(project, NO_QUOTA));
  return { prepares: ['guest image'], stages: [[[tests('unit', NO_QUOTA, PROPERTY_RUNS), ...chain]]] };
}

export const RUNS: Record<string, () => Run> = { change: () => CHANGE, exhaustive: () => EXHAUSTIVE, nightly };
