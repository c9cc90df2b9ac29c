import { expect } from 'vitest';
import { ORDERS_RING } from '../../../lab/fleet/cassandra/hosts.ts';
import { describeExamples, type ExpectedEnd, failedIn, worstRtoIn } from '../engine-examples.ts';

const EXPECTED: Record<string, ExpectedEnd> = {
  'cassandra-node-killed.json': {
    ...{ outcome: 'CONFIRMED', losesNothing: true },
    number(document) {
      expect(worstRtoIn(document)).toBe(0);
      expect(failedIn(document)).toBe(0);
    },
  },
  'cassandra-node-killed-default-client.json': {
    ...{ outcome: 'DEVIATED', losesNothing: true },
    number: (document) => expect(failedIn(document)).toBeGreaterThan(0),
  },
  'cassandra-seed-killed.json': {
    ...{ outcome: 'CONFIRMED', losesNothing: true },
    number: (document) => expect(worstRtoIn(document)).toBe(0),
  },
};

describeExamples('cassandra', ORDERS_RING.hosts, EXPECTED);
