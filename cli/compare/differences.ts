import { isRoleOf, selectorsOf } from '../../functions/domain/role-words.ts';
import { REST, selectorText } from '../../functions/domain/selectors.ts';
import type { RunDocument } from '../runs/run-document.ts';
import { rolesOf } from '../target-node.ts';

export interface Difference {
  /** `durationSeconds`, `targets`, `2.packetLossPct` of the second fault. */
  what: string;
  a: string[];
  b: string[];
}

/**
 * What was asked of each run, apart from the nodes' names, which a failover changes: for each thing its value in words.
 * Where it is known, a node is its roles in its shards, and what the request chose it by.
 */
export function askedOf({ experiment, targets, checks }: RunDocument): Map<string, string> {
  if (!experiment) return new Map();
  const { faults, durationSeconds } = experiment;
  const parts = partsOf(faults, targets ?? []);
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

type Roles = ReturnType<typeof rolesOf>;

/** What each node was, in words; undefined where it is not known. */
function partsOf(
  faults: NonNullable<RunDocument['experiment']>['faults'],
  targets: NonNullable<RunDocument['targets']>,
): Map<string, string | undefined> {
  const seen = new Map<string, Roles>();
  for (const { impacted, peers, shardMembers } of targets) {
    for (const node of [...(shardMembers ?? []), ...(peers ?? []), ...impacted]) {
      const roles = rolesOf(node);
      if (roles.length > 0 || !seen.has(node.name)) seen.set(node.name, roles);
    }
  }
  const named = faults.flatMap(({ impactedNodes, chosenBy = [] }) => [
    ...impactedNodes,
    ...chosenBy.flatMap(({ nodes }) => nodes),
  ]);
  return new Map(
    [...new Set([...named, ...seen.keys()])].map((name) => {
      const roles = seen.get(name) ?? [];
      const asked = selectorsOf(name, faults)
        .filter((selector) => selector.role !== REST && !roles.some((part) => isRoleOf(selector, part)))
        .map(({ role, of }) => selectorText({ role, of }));
      return [name, [...new Set(asked), ...partIn(roles)].join(' + ') || undefined];
    }),
  );
}

/**
 * Several probed shards of one node are alike, as the partitions of the probe's topic: which of them a broker leads is
 * chance, how many is not.
 */
function partIn(roles: Roles): string[] {
  const probed = roles.filter(({ unprobed }) => !unprobed);
  const named = (parts: Roles) => parts.map(({ role, shard }) => `${role} of ${shard}`).sort();
  if (probed.length < 2) return named(roles);
  const counted = [...new Set(probed.map(({ role }) => role))].sort().map((role) => {
    const shards = probed.filter((part) => part.role === role).length;
    return `${role} of ${shards} ${shards === 1 ? 'shard' : 'shards'}`;
  });
  return [...counted, ...named(roles.filter(({ unprobed }) => unprobed))];
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
