import type { RunDocument } from '../runs/run-document.ts';

export interface Difference {
  /** `durationSeconds`, `targets`, `2.packetLossPct` of the second fault. */
  what: string;
  a: string[];
  b: string[];
}

/**
 * What was asked of each run, apart from the nodes' names, which a failover changes: for each thing its value in words.
 * Where it is known, a node is its role in its shard.
 */
export function askedOf({ experiment, targets, checks }: RunDocument): Map<string, string> {
  if (!experiment) return new Map();
  const { faults, durationSeconds } = experiment;
  const parts = new Map<string, string | undefined>();
  for (const name of faults.flatMap(({ impactedNodes }) => impactedNodes)) parts.set(name, undefined);
  for (const { impacted, peers, shardMembers } of targets ?? []) {
    for (const { name, shard, role } of [...(shardMembers ?? []), ...(peers ?? []), ...impacted]) {
      parts.set(name, shard && role ? `${role} of ${shard}` : parts.get(name));
    }
  }
  const targetOf = (faultId: string, nodes: readonly string[]) => {
    const impacted = targets?.find((target) => target.faultId === faultId)?.impacted.map(({ name }) => name) ?? [];
    return (impacted.length > 0 ? impacted : nodes).map((name) => parts.get(name) ?? name).sort();
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
      if (field !== 'kind' || value !== kind) asked.set(`${prefix}${field}`, text(value, parts));
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

/** Of a list of nodes what they are in their shards; where that is not known of each, how many there are. */
function text(value: unknown, parts: ReadonlyMap<string, string | undefined>): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value) && value.length > 0 && value.every((item) => parts.has(item))) {
    const known = value.flatMap((name) => parts.get(name) ?? []).sort();
    if (known.length === value.length) return known.join(', ');
    return value.length === 1 ? '1 node' : `${value.length} nodes`;
  }
  return JSON.stringify(value) ?? 'nothing';
}

/** Ids of the runs whose documents do not say what was asked of them. */
export function askedNotKnown(runs: readonly RunDocument[]): string[] {
  return runs.filter(({ experiment }) => !experiment).map(({ experimentId }) => experimentId);
}
