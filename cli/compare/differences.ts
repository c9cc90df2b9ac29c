import type { RunDocument } from '../runs/run-document.ts';

export interface Difference {
  /** `durationSeconds`, `targets`, `2.packetLossPct` of the second fault. */
  what: string;
  a: string[];
  b: string[];
}

/** What was asked of each run, apart from the nodes' names, which a failover changes: for each thing its value in words. */
export function askedOf({ experiment, targets, checks }: RunDocument): Map<string, string> {
  if (!experiment) return new Map();
  const { faults, durationSeconds } = experiment;
  const names = new Set([
    ...faults.flatMap(({ impactedNodes }) => impactedNodes),
    ...(targets ?? []).flatMap(({ impacted, peers, shardMembers }) =>
      [...impacted, ...(peers ?? []), ...(shardMembers ?? [])].map(({ name }) => name),
    ),
  ]);
  const targetOf = (faultId: string, nodes: readonly string[]) => {
    const impacted = targets?.find((target) => target.faultId === faultId)?.impacted ?? [];
    const known = impacted.length > 0 ? impacted : nodes.map((name) => ({ name, shard: undefined, role: undefined }));
    return known.map(({ name, shard, role }) => (shard && role ? `${role} of ${shard}` : name)).sort();
  };
  const asked = new Map([
    ['clusters', [...new Set(faults.map(({ cluster }) => cluster))].sort().join(', ')],
    ['faults', faults.map(({ kind }) => kind).join(', ')],
    ['targets', faults.map(({ faultId, impactedNodes }) => targetOf(faultId, impactedNodes).join(', ')).join('; ')],
    ['durationSeconds', String(durationSeconds)],
  ]);
  for (const [index, { kind, parameters, startSeconds }] of faults.entries()) {
    const prefix = faults.length > 1 ? `${index + 1}.` : '';
    if (startSeconds) asked.set(`${prefix}startSeconds`, String(startSeconds));
    for (const [field, value] of Object.entries(parameters)) {
      if (field !== 'kind' || value !== kind) asked.set(`${prefix}${field}`, text(value, names));
    }
  }
  for (const check of checks ?? []) asked.set(`${CHECK}${check.name}`, checkAsked(check));
  return asked;
}

/** In what two sets of runs were not asked the same; also in what the runs of one set differ among themselves. */
export function differencesBetween(a: readonly RunDocument[], b: readonly RunDocument[]): Difference[] {
  const [ofA, ofB] = [a.map(askedOf), b.map(askedOf)];
  const things = new Set([...ofA, ...ofB].flatMap((asked) => [...asked.keys()]));
  return [...things].flatMap((what) => {
    const valuesOf = (side: typeof ofA) => [...new Set(side.map((asked) => asked.get(what) ?? 'not known'))].sort();
    const isAsked = (side: typeof ofA) => side.some((asked) => asked.has(what));
    // A check of one side alone is in the table of the checks.
    if (what.startsWith(CHECK) && !(isAsked(ofA) && isAsked(ofB))) return [];
    const difference = { what, a: valuesOf(ofA), b: valuesOf(ofB) };
    return new Set([...difference.a, ...difference.b]).size > 1 ? [difference] : [];
  });
}

const CHECK = 'check ';

function checkAsked({ measure, tolerance, unit, when, withinSeconds }: NonNullable<RunDocument['checks']>[number]) {
  const { atLeast, atMost } = tolerance ?? {};
  const limits = [
    ...(typeof atLeast === 'number' ? [`at least ${atLeast} ${unit}`] : []),
    ...(typeof atMost === 'number' ? [`at most ${atMost} ${unit}`] : []),
  ].join(', ');
  const within = typeof withinSeconds === 'number' ? [`within ${withinSeconds} s`] : [];
  return [[measure, limits].filter(Boolean).join(' '), when, ...within].filter(Boolean).join(', ');
}

/** Lists of nodes are as long as they are, whoever is in them. */
function text(value: unknown, names: ReadonlySet<string>): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value) && value.length > 0 && value.every((item) => names.has(item))) {
    return value.length === 1 ? '1 node' : `${value.length} nodes`;
  }
  return JSON.stringify(value) ?? 'nothing';
}
