import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { worstCase } from '../../../functions/admission/worst-case.ts';
import { type AuditEntry, type EntryType, isEntryOf } from '../../../functions/domain/audit-entry.ts';
import { ENTRY_TYPES, parseEntry } from '../../../functions/domain/audit-schemas.ts';
import { irreversibleOf } from '../../../functions/domain/faults/catalogue.ts';
import { hashEntry } from '../../../functions/domain/hash-chain.ts';
import type { Hypothesis } from '../../../functions/domain/hypothesis.ts';
import { problem } from '../../../functions/domain/problem.ts';
import { redisCluster } from './configuration-fixtures.ts';
import { experimentOf, fisFault, hostFault, planOf, seedExperiment } from './experiment-fixtures.ts';
import { detailsOf, entry, fullRun, iso, nodeAnswer, reading, remarks, reverted } from './fixtures.ts';
import { expectedAlert } from './hypothesis-fixtures.ts';

const stop = fisFault(2, 20);
const { facts } = detailsOf('ADMITTED');
const amp = {
  prometheusUrl: 'https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-1',
  auth: { sigV4: { region: 'eu-west-1' } },
};
const worst = worstCase(redisCluster({ telemetry: amp }), 3, 60, [{ ...stop, action: { boundSeconds: 60 } }]);
/** Of a host that knows more than this control plane. */
const A_LATER_END = { outcome: 'HANDED_OVER' };
const CHECK_READING = { check: 'no loss', value: 1, held: false, reason: '1 writes, at most 0 writes' };
const SUMMARY = { count: 100, p50: 0.5, p90: 0.7, p99: 1.2, max: 7, failed: 3 };
const HYPOTHESIS: Hypothesis = {
  statement: 'nobody notices',
  baselineSeconds: 60,
  checks: [
    {
      ...{ name: 'lag', cluster: 'redis-master', tolerance: { atLeast: 1, atMost: 2, unit: 's' } },
      measure: { kind: 'PROMQL', query: 'lag', freshness: 'lag', control: '1', scrapeIntervalSeconds: 5 },
      ...{ when: 'AFTER_FAULT', withinSeconds: 9 },
    },
    {
      ...{ name: 'alert', cluster: 'redis-master', tolerance: { atMost: 2, unit: 'alerts' }, when: 'STEADY' },
      measure: { kind: 'ALERT', alert: 'Down' },
    },
    {
      ...{ name: 'writes', cluster: 'redis-master', tolerance: { atMost: 2, unit: 'ms' }, when: 'BEFORE' },
      measure: { kind: 'PROBE', name: 'writeLatencyMs', quantile: 0.99 },
    },
    {
      ...{ name: 'failover', cluster: 'redis-master', tolerance: { atLeast: 1, unit: 'failovers' } },
      ...{ measure: { kind: 'ENGINE', name: 'failovers' }, when: 'HAPPENS', withinSeconds: 9 },
    },
    expectedAlert('orders 5xx / "eu"'),
  ],
};
const promotion = detailsOf('PROMOTION_OBSERVED');
/** One of each type, and some more with everything that may be left out. */
const ENTRIES: AuditEntry[] = [
  ...ENTRY_TYPES.map((type) => entry(type)),
  entry('REFUSED', {
    problem: problem('invalid-request', 'not valid: action', {
      errors: [{ field: 'action', message: 'is not a fault', allowed: 'PROCESS_KILL' }],
    }),
    experiment: seedExperiment(),
  }),
  entry('ADMITTED', {
    experiment: experimentOf([hostFault(1, 0), stop]),
    facts: {
      ...facts,
      clusters: facts.clusters.map((cluster) => ({ ...cluster, worstCase: worst, warnings: ['no throttle'] })),
      irreversible: irreversibleOf([stop]),
      standingApproval: { by: 'arn:aws:iam::111122223333:role/lead', until: '2027-01-31', hash: 'a'.repeat(64) },
      closing: { at: iso(900), what: 'the window of redis-master' },
    },
  }),
  entry('ADMITTED', { experiment: { ...seedExperiment(), hypothesis: HYPOTHESIS } }),
  entry('STEADY_STATE_CONFIRMED', { checks: [CHECK_READING] }),
  entry('PROBE_READY', { checks: [CHECK_READING] }),
  entry('CHECKS_OBSERVED', { series: [{ check: 'no loss', values: [null], gapSeconds: 3, problem: 'not read' }] }),
  entry('INJECTING', planOf([hostFault(1, 0), stop])),
  entry('INJECTED', {
    nextFaultAt: iso(23),
    nodes: [nodeAnswer({ reason: 'took its time', ...remarks })],
    services: [{ faultId: stop.faultId, fisExperimentId: 'EXP1' }],
  }),
  entry('INJECTION_FAILED', { services: [{ faultId: stop.faultId, problem: 'refused by FIS' }] }),
  entry('ALARM_ARRIVED', { firedAt: undefined }),
  entry('GUARD_STOPPED', { breaches: [reading('errorRatePct', { breached: true, reason: '2 % is above 0.5 %' })] }),
  entry('KILL_SWITCH_ENGAGING', { cluster: 'redis-master' }),
  entry('ROLLBACK_FAILED', {
    rolledBackAt: iso(64),
    nodes: [
      reverted({
        ...{ outcome: 'FAILED', leftovers: ['-A HOLDFAST'], changes: ['+ a rule of others'], detail: 'FAILED' },
        fence: { outcome: 'DEADLINE', raisedAt: iso(63), loweredAt: iso(78) },
        ...{ revertReason: 'EFFECT_LOST', effectLostAt: iso(62), ...remarks },
      }),
    ],
    services: [
      {
        ...{
          faultId: stop.faultId,
          fisExperimentId: 'EXP1',
          state: 'running',
          outcome: 'FAILED',
          detail: 'not stopped',
        },
        ...{ begunAt: iso(23), endedAt: iso(64) },
      },
    ],
    problems: ['lease not released: no answer'],
  }),
  entry('ROLLED_BACK', { nodes: [reverted({ fence: { outcome: 'NOT_NEEDED' } }), reverted({ fence: A_LATER_END })] }),
  entry('RECOVERY_VERIFIED', { repairs: ['redis-node-3: BGSAVE begun'] }),
  entry('PROBE_MEASURED', { firstFailureAt: iso(4), recoveredAt: iso(10), promotion }),
  entry('PROBE_MEASURED', {
    staleReads: 0,
    latency: { writeMs: SUMMARY, readMs: SUMMARY, consumerLagMs: SUMMARY },
    records: {
      ...{ lossSpanSeconds: 11.9, duplicated: 1, reordered: 0, repeatedOffsets: 0 },
      examples: {
        ...{ lost: [{ key: 'k7', offset: 7, acknowledgedAt: iso(7) }], duplicated: [], reordered: [] },
        repeatedOffsets: [],
      },
    },
    phases: [{ phase: 'DETECTED', at: iso(6), secondsAfterFault: 3, event: '+odown', uncertaintyMs: 20 }],
  }),
  entry('CONCLUDED', {
    budgets: [{ cluster: 'redis-master', name: 'rtoSeconds', limit: 15, measured: 6.5, met: true }],
    checks: [
      {
        ...{ name: 'no loss', cluster: 'redis-master', measure: 'lostAcknowledgedWrites', when: 'STEADY' },
        ...{ withinSeconds: 5, tolerance: { atLeast: 0, atMost: 1 }, unit: 'writes', result: 'FAILED', measured: 2 },
        ...{ failedSeconds: 3, firstFailedAt: iso(5), lastFailedAt: iso(7), unknownSeconds: 1 },
        ...{ heldAfterSeconds: 4, arrivedAt: iso(6), reason: '2 writes' },
      },
    ],
  }),
];
const titled = ENTRIES.map((one, index) => [`${one.type} (${index + 1})`, one] as const);

/** As it comes out of the table: nothing of it is known to fit, and so a value is looked into as a row. */
type Row = Record<string, unknown>;
const rowOf = (one: AuditEntry): Row => JSON.parse(JSON.stringify(one));
const hashOf = ({ hash: _, ...unhashed }: AuditEntry) => hashEntry(unhashed);

/** Fields whose own keys are data, or whose content another schema knows. */
const RECORDS = ['parameters', 'baselines', 'peakP99LatencyMs', 'exemptAddresses'];
/** Of a problem: its extensions may be anything. */
const OPEN = ['parameters'];

/** Every place in a value that holds something, as a path. */
function placesIn(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [[...path, key], ...placesIn(inner, [...path, key])]);
}

/** A copy of the value with something else in that place; `undefined` takes it away. */
function withPlace(
  value: unknown,
  [key = '', ...rest]: readonly string[],
  change: (inner: unknown) => unknown,
): unknown {
  const inner = (value as Row)[key];
  const changed = rest.length === 0 ? change(inner) : withPlace(inner, rest, change);
  if (Array.isArray(value)) return value.flatMap((one, index) => (String(index) === key ? [changed] : [one]));
  return Object.fromEntries(
    Object.entries({ ...(value as Row), [key]: changed }).filter(([, one]) => one !== undefined),
  );
}

const MAY_BE_UNKNOWN: Partial<Record<EntryType, readonly string[]>> = {
  ROLLED_BACK: ['rolledBackAt'],
  ALARM_ARRIVED: ['firedAt'],
  CHECK_CHANGED: ['value'],
  CHECKS_OBSERVED: ['probed'],
  PROBE_MEASURED: ['observedFrom', 'observedUntil', 'rtoSeconds', 'unavailableSeconds', 'lostAcknowledgedWrites'],
};

describe('an entry of the log', () => {
  it.each(titled)('is read back as it was written, under the same hash: %s', (_title, made) => {
    const read = parseEntry(rowOf(made));
    expect(read).toEqual(made);
    expect(hashOf(read)).toBe(made.hash);
  });

  it('holds a breach whose limit was no number, which JSON cannot say, under the hash it was written with', () => {
    const breach = reading('errorRatePct', { limit: Number.NaN, breached: true });
    const made = entry('GUARD_STOPPED', { ...detailsOf('GUARD_STOPPED'), breaches: [breach] });
    const read = parseEntry({ ...rowOf(made), hash: made.hash });
    expect(isEntryOf(read, 'GUARD_STOPPED') && read.details.breaches[0]?.limit).toBeNaN();
    expect(hashOf(read)).toBe(made.hash);
  });

  it('keeps what a later version adds in any place of it, so that its hash holds', () => {
    // Zod leaves that one key out; `parse-experiment.ts` lets none of it in.
    const name = fc.string({ minLength: 1 }).filter((key) => key !== '__proto__');
    fc.assert(
      fc.property(fc.constantFrom(...ENTRIES), fc.nat(), name, fc.jsonValue(), (made, pick, key, added) => {
        const row = rowOf(made);
        const isObject = (path: string[]) => {
          const inner = path.reduce<unknown>((value, step) => (value as Row)[step], row);
          return typeof inner === 'object' && inner !== null && !Array.isArray(inner) && !(key in inner);
        };
        // What a record or the parameters of a kind hold is known by its own rules.
        const open = placesIn(row).filter((path) => isObject(path) && !path.some((step) => RECORDS.includes(step)));
        const place = open[pick % open.length] ?? ['details'];
        const later = withPlace(row, place, (inner) => ({ ...Object(inner), [key]: added })) as AuditEntry;
        const read = parseEntry({ ...later, hash: hashOf(later) });
        expect(hashOf(read)).toBe(read.hash);
      }),
    );
  });

  it('is refused where a field is missing or has another type, by experiment, sequence, type and field', () => {
    for (const made of ENTRIES) {
      const { type } = made;
      const row = rowOf(made);
      for (const path of placesIn(row.details, ['details'])) {
        const spoilt = withPlace(row, path, (inner) =>
          typeof inner === 'object' && inner !== null ? 7 : { of: 'another type' },
        ) as Row;
        if (path.some((step) => OPEN.includes(step))) continue;
        expect(() => parseEntry(spoilt), path.join('.')).toThrow(
          new RegExp(`^audit log of exp_chaos_redis_019, entry 1 \\(${type}\\): details\\.`),
        );
        const [field = ''] = path.slice(1);
        expect(() => parseEntry(spoilt), path.join('.')).toThrow(`details.${field}`);
      }
    }
  });

  it.each(ENTRY_TYPES)('of type %s is refused without any of its details, but for what may be unknown', (type) => {
    const optional: readonly string[] = MAY_BE_UNKNOWN[type] ?? [];
    for (const field of Object.keys(entry(type).details)) {
      const row = withPlace(rowOf(entry(type)), ['details', field], () => undefined) as Row;
      if (optional.includes(field)) expect(parseEntry(row).details).not.toHaveProperty(field);
      else expect(() => parseEntry(row)).toThrow(`entry 1 (${type}): details.${field}: `);
    }
  });

  it('is refused where it is of no known type, has no number or nobody who wrote it', () => {
    for (const [field, value] of [
      ['type', 'INJECTED_TWICE'],
      ['sequence', 0],
      ['sequence', '1'],
      ['actor', { name: 'ana' }],
      ['hash', undefined],
    ] as const) {
      expect(() => parseEntry({ ...rowOf(entry('INJECTED')), [field]: value }), field).toThrow(`: ${field}: `);
    }
  });

  it('is refused with the parameters of a fault that its kind does not know', () => {
    const [fault] = entry('ADMITTED').details.experiment.faults;
    for (const parameters of [{ ...fault?.parameters, kind: 'X' }, { ...fault?.parameters, packetLossPct: 0 }, null]) {
      const row = withPlace(
        rowOf(entry('ADMITTED')),
        ['details', 'experiment', 'faults', '0', 'parameters'],
        () => parameters,
      );
      expect(() => parseEntry(row as Row)).toThrow(/parameters: are not the parameters of a kind/);
    }
  });
});

describe('the types of entries', () => {
  it('are in the order in which a run writes them', () => {
    const run = fullRun().map(({ type }) => type);
    expect(ENTRY_TYPES.filter((type) => run.includes(type))).toEqual(run);
  });

  it('are told apart by their type alone', () => {
    expect(isEntryOf(entry('ROLLED_BACK'), 'ROLLED_BACK', 'ROLLBACK_FAILED')).toBe(true);
    expect(isEntryOf(entry('ROLLED_BACK'), 'RECOVERY_VERIFIED')).toBe(false);
  });
});
