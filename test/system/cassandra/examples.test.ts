import { expect } from 'vitest';
import type { ProbeMeasurement } from '../../../functions/domain/workflow.ts';
import { ORDERS_RING } from '../../../lab/fleet/cassandra/hosts.ts';
import { describeExamples, type ExpectedEnd, failedIn } from '../engine-examples.ts';
import type { RunDocument } from '../lab-run.ts';

const DRIFT_MS = 100;

/** The verdict's: 0 where no operation failed, and a probe that saw no outage has none to tell. */
function expectNothingNoticed(document: RunDocument): void {
  expect(document.budgets.find(({ name }) => name === 'rtoSeconds')?.measured).toBe(0);
  expect(failedIn(document)).toBe(0);
}

/** Of the first write that an earlier one has replaced: how far that one's timestamp is ahead of its own. */
function aheadMsIn({ timeline }: RunDocument): number {
  const measured = timeline.find(({ type }) => type === 'PROBE_MEASURED')?.details as ProbeMeasurement | undefined;
  const [first] = measured?.values?.examples.overwritten ?? [];
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
  'cassandra-node-killed.json': { ...{ outcome: 'CONFIRMED', losesNothing: true }, number: expectNothingNoticed },
  'cassandra-node-paused.json': { ...{ outcome: 'CONFIRMED', losesNothing: true }, number: expectNothingNoticed },
  'cassandra-partition.json': { ...{ outcome: 'CONFIRMED', losesNothing: true }, number: expectNothingNoticed },
  'cassandra-seed-killed.json': { ...{ outcome: 'CONFIRMED', losesNothing: true }, number: expectNothingNoticed },
};

describeExamples('cassandra', ORDERS_RING.hosts, EXPECTED);
