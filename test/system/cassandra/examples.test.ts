import { expect } from 'vitest';
import type { ProbeMeasurement } from '../../../functions/domain/workflow.ts';
import { ORDERS_RING } from '../../../lab/fleet/cassandra/hosts.ts';
import { describeExamples, type ExpectedEnd, expectNothingNoticed, failedIn, rtoIn } from '../engine-examples.ts';
import type { RunDocument } from '../lab-run.ts';

const DRIFT_MS = 100;

function measuredIn({ timeline }: RunDocument): ProbeMeasurement | undefined {
  return timeline.find(({ type }) => type === 'PROBE_MEASURED')?.details as ProbeMeasurement | undefined;
}

/** Of the first write that an earlier one has replaced: how far that one's timestamp is ahead of its own. */
function aheadMsIn(document: RunDocument): number {
  const [first] = measuredIn(document)?.values?.examples.overwritten ?? [];
  return ((first?.instead?.timestampUs ?? Number.NaN) - (first?.timestampUs ?? Number.NaN)) / 1000;
}

const EXPECTED: Record<string, ExpectedEnd> = {
  'cassandra-clock-drift.json': {
    ...{ outcome: 'DEVIATED', losesNothing: false, findings: ['clock order inversion'] },
    number(document) {
      expect(aheadMsIn(document)).toBeGreaterThan(DRIFT_MS / 2);
      // Both writes take their time.
      expect(aheadMsIn(document)).toBeLessThan(DRIFT_MS);
    },
  },
  'cassandra-clock-drift-client-timestamps.json': {
    ...{ outcome: 'CONFIRMED', losesNothing: true },
    number: expectNothingNoticed,
  },
  'cassandra-disk-full.json': {
    ...{ outcome: 'CONFIRMED', losesNothing: true },
    number(document) {
      // A client that did not notice has no recovery time, and its verdict counts 0.
      expect(rtoIn(document)).toBeLessThanOrEqual(2);
      const verified = document.timeline.find(({ type }) => type === 'RECOVERY_VERIFIED')?.details;
      expect(verified?.repairs).toContain('cassandra-node-3: store started, it had ended or shut itself');
    },
  },
  'cassandra-minority-refuses.json': {
    ...{ outcome: 'CONFIRMED', losesNothing: true },
    number(document) {
      const { unacknowledgedThrough = {} } = measuredIn(document)?.values ?? {};
      expect(unacknowledgedThrough['cassandra-node-3']).toBeGreaterThanOrEqual(10);
    },
  },
  'cassandra-node-killed.json': { ...{ outcome: 'CONFIRMED', losesNothing: true }, number: expectNothingNoticed },
  'cassandra-node-paused-default-client.json': {
    ...{ outcome: 'DEVIATED', losesNothing: true, findings: ['default client profile'] },
    number: (document) => expect(failedIn(document)).toBeGreaterThan(0),
  },
  'cassandra-partition.json': { ...{ outcome: 'CONFIRMED', losesNothing: true }, number: expectNothingNoticed },
};

/** Each of these takes more than a minute: what asks much the same, or needs another lab, comes at night. */
describeExamples('cassandra', ORDERS_RING.hosts, EXPECTED, [
  'cassandra-datacenter-latency.json',
  'cassandra-gc-pause.json',
  'cassandra-kill-kafka-latency.json',
  'cassandra-node-paused.json',
  'cassandra-node-replaced.json',
  'cassandra-seed-killed.json',
]);
