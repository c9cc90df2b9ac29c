import { expect } from 'vitest';
import { KAFKA_HOSTS } from '../../../lab/fleet/kafka/hosts.ts';
import { checkIn, describeExamples, type ExpectedEnd, lostIn, rtoIn } from '../engine-examples.ts';
import { REBALANCE } from './rebalance.ts';

const EXPECTED: Record<string, ExpectedEnd> = {
  'kafka-broker-unreachable-leader.json': {
    ...{ outcome: 'CONFIRMED', ...REBALANCE, losesNothing: true },
    number(document) {
      expect(rtoIn(document)).toBeGreaterThan(1);
      expect(rtoIn(document)).toBeLessThan(15);
    },
  },
  'kafka-broker-unreachable-controller.json': {
    ...{ outcome: 'CONFIRMED', ...REBALANCE, losesNothing: true },
    number: (document) => expect(rtoIn(document)).toBeGreaterThan(1),
  },
  'kafka-broker-unreachable-acks-1.json': {
    ...{ outcome: 'DEVIATED', losesNothing: false, findings: ['one acknowledgement'] },
    // Its client stays with the old leader until the fault is over, unless another broker is asked first.
    mayShow: ['stale metadata'],
    number: (document) => expect(lostIn(document)).toBeGreaterThan(20),
  },
  'kafka-broker-killed.json': {
    ...{ outcome: 'CONFIRMED', losesNothing: true },
    number: (document) => expect(checkIn(document, 'consumers stand still meanwhile').measured).toBeGreaterThan(1000),
  },
  'kafka-broker-paused.json': {
    ...{ outcome: 'CONFIRMED', losesNothing: true },
    number: (document) => expect(rtoIn(document)).toBeGreaterThan(1),
  },
  'kafka-broker-paused-acks-1.json': {
    ...{ outcome: 'DEVIATED', losesNothing: false, findings: ['one acknowledgement'] },
    number: (document) => expect(lostIn(document)).toBeGreaterThan(0),
  },
  'kafka-disk-full.json': {
    ...{ outcome: 'CONFIRMED', losesNothing: true },
    number: (document) =>
      expect(checkIn(document, 'the store says that the broker is gone').heldAfterSeconds).toBeLessThan(25),
  },
  'kafka-broker-latency.json': {
    ...{ outcome: 'DEVIATED', losesNothing: true },
    number: (document) => expect(checkIn(document, 'consumers stay close behind').measured).toBeGreaterThan(200),
  },
  'kafka-consumer-saturation.json': {
    ...{ outcome: 'DEVIATED', losesNothing: true },
    number: (document) => expect(checkIn(document, 'the circuit breaker opens').measured).toBe(1),
  },
};

describeExamples('kafka', KAFKA_HOSTS, EXPECTED, ['kafka-quorum-lost.json']);
