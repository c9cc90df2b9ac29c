import { EVERY_ENGINE } from '../lab/fleet/fleet.ts';
import { type Provenance, provenanceText } from './provenance.ts';
import { renderMeasurement } from './report.ts';
import { ALL_STARTS, CASSANDRA_STARTS, ENGINES, type Section } from './sections.ts';

export interface EngineRun {
  /** Nothing was in the user's cache. */
  isCold: boolean;
  startSeconds: number;
  /** Of the machine just before, over one minute: what others keep its processors busy with. */
  loadBefore: number;
  /** One a host. */
  megabytes: number[];
  cpuPct: number[];
}

export interface EnginesResult extends Provenance {
  engines: readonly string[];
  runs: readonly EngineRun[];
}

/** Where the result stands, and how long a start may take: cold, warm. Seconds. */
export function startsOf(engines: readonly string[]): {
  section: Section;
  promised: [cold: number | undefined, warm: number];
} {
  if (engines.length === EVERY_ENGINE.length) return { section: ALL_STARTS, promised: [undefined, 45] };
  return engines.join() === 'cassandra'
    ? { section: CASSANDRA_STARTS, promised: [150, 25] }
    : { section: ENGINES, promised: [120, 15] };
}

/** What it costs to have an engine in the lab. */
export function renderEngines({ engines, runs, ...provenance }: EnginesResult): string {
  const {
    section: { heading, command },
    promised: [coldSeconds, warmSeconds],
  } = startsOf(engines);
  // Of several engines no figure of a host says anything.
  const hasOne = engines.length === 1;
  const usage = [
    { name: 'memory of a host’s stores, idle', unit: 'MB', values: runs.flatMap((run) => run.megabytes) },
    { name: 'CPU of a host’s stores, idle', unit: '% of a core', values: runs.flatMap((run) => run.cpuPct) },
  ];
  const started = (isCold: boolean) => runs.filter((run) => run.isCold === isCold).map((run) => run.startSeconds);
  return [
    heading,
    '',
    `The last run of \`${command}\`, for ${engines.join(', ')}: hosts, stores and Prometheus, without traffic and the AWS side.`,
    ...(runs.some(({ isCold }) => isCold) ? ['A cold start finds the Debian packages and nothing else.'] : []),
    ...(hasOne ? ['Memory is the proportional set size.'] : []),
    `Load of the machine before each start: ${runs.map(({ loadBefore }) => loadBefore.toFixed(1)).join(', ')}. ${provenanceText(provenance)}`,
    '',
    '| what | unit | n | min | p50 | p90 | max | promised |',
    '|---|---|---|---|---|---|---|---|',
    ...[
      {
        name: 'cold start until all is ready',
        unit: 's',
        values: started(true),
        promised: coldSeconds === undefined ? '' : `≤ ${coldSeconds}`,
      },
      { name: 'warm start until all is ready', unit: 's', values: started(false), promised: `≤ ${warmSeconds}` },
      ...(hasOne ? usage : []),
    ]
      .filter(({ values }) => values.length > 0)
      .map(renderMeasurement),
    '',
  ].join('\n');
}
