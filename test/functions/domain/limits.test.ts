import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plan } from '../../../functions/admission/plan.ts';
import { refuseTooLarge } from '../../../functions/admission/size.ts';
import type { CommandResult } from '../../../functions/aws/host-commands.ts';
import type { CommandPlan } from '../../../functions/domain/admission.ts';
import { ErrorName, WorkflowError } from '../../../functions/domain/errors.ts';
import type { Experiment } from '../../../functions/domain/experiment.ts';
import { parseHostReport, remarksOf } from '../../../functions/domain/host-report.ts';
import {
  bytesOf,
  cut,
  firstLines,
  MAX_ENTRY_BYTES,
  MAX_REASON_CHARACTERS,
  MAX_RUN_BYTES,
  MAX_WORD_CHARACTERS,
} from '../../../functions/domain/limits.ts';
import { resolveTargets } from '../../../functions/domain/resolve-targets.ts';
import type { ExperimentRun, NodeCommand, NodeRollback, RollbackResult } from '../../../functions/domain/workflow.ts';
import { answersOf } from '../../../functions/inject/dispatch.ts';
import { boundedResult, summaryOf } from '../../../functions/rollback/bounded-result.ts';
import { configuration } from './configuration-fixtures.ts';
import { faultWith, seedExperiment } from './experiment-fixtures.ts';
import { CALLER, iso } from './fixtures.ts';
import { liveNode, shardOf, topologyOf } from './target-fixtures.ts';

const STATE_BYTES = 256 * 1024;
const ITEM_BYTES = 400_000;
/** Baselines, injection, recovery, verdict, and two errors with their traces: none of them grows with nodes. */
const REST_BYTES = 40_000;

interface Size {
  liveNodes: number;
  targets: number;
  faults: number;
  addresses: number;
  nameLength: number;
  /** On peers, which its commands name, or on the node alone: then there may be most commands. */
  scope?: 'peers' | 'node';
}

/** A cluster of shards of three, every fault on the same targets. */
function runOf({ liveNodes, targets, faults, addresses, nameLength, scope = 'peers' }: Size) {
  const nodes = Array.from({ length: liveNodes }, (_, index) =>
    liveNode(index, {
      name: `node-${index}`.padEnd(nameLength, 'x'),
      instanceId: `i-${String(index).padStart(17, '0')}`,
      addresses: Array.from(
        { length: addresses },
        (_unused, other) => `10.${100 + other}.${100 + (index >> 7)}.${100 + (index & 127)}`,
      ),
      subnetId: 'subnet-0123456789abcdef0',
      dataVolumeIds: ['vol-0123456789abcdef0'],
    }),
  );
  const nameOf = (index: number) => nodes[index]?.name ?? '';
  const shards = Array.from({ length: Math.floor(liveNodes / 3) }, (_, index) =>
    shardOf(`shard-${index}`, nameOf(3 * index), nameOf(3 * index + 1), nameOf(3 * index + 2)),
  );
  const targetNodes = nodes.slice(0, targets).map(({ name }) => name);
  const onNode = { kind: 'CPU_SPIKE', targetNodes, cores: 1, loadPct: 50 } as const;
  const onPeers = { kind: 'NETWORK_LOSS', targetNodes, packetLossPct: 20, correlationPct: 0 } as const;
  const experiment: Experiment = {
    ...seedExperiment('e'.repeat(50)),
    faults: Array.from({ length: faults }, (_, index) =>
      faultWith(scope === 'peers' ? onPeers : onNode, {
        ...{ faultId: `${'e'.repeat(50)}.${index + 1}`, name: `${index + 1}`, startSeconds: index },
      }),
    ),
  };
  const network = { interfaces: [], ownSubnetIds: [] };
  const exemptAddresses = { 'redis-master': ['10.0.1.1'] };
  const resolved = {
    // Each on its own: no request may have two faults of one resource on a node, but none can be larger than this.
    faults: experiment.faults.flatMap((fault) =>
      resolveTargets([fault], nodes, topologyOf(shards), ['10.0.1.1'], network),
    ),
    exemptAddresses,
  };
  const { commands } = plan(experiment, experiment.faults, resolved, configuration(), 'Holdfast-Stack-');
  return { experiment, targets: resolved, commands, refusal: refuseTooLarge(experiment, resolved, commands) };
}

/** As much as a host can say beside the state of its fault. */
const LONG = 'x'.repeat(1000);
const WORD = cut(LONG, MAX_WORD_CHARACTERS);
const worstReport = parseHostReport(
  JSON.stringify({
    ...{ state: LONG, reason: LONG, appliedAt: LONG, liftedAt: LONG, revertReason: LONG, effectLostAt: LONG },
    ...{ bootId: LONG, fence: { outcome: LONG, raisedAt: LONG, loweredAt: LONG } },
    effect: { measure: LONG, value: -Number.MAX_VALUE, unit: LONG, observedAt: LONG },
    notes: Array.from({ length: 51 }, () => LONG),
  }),
);

/** Every host failed to apply the fault, and says as much as it can. */
function worstAnswers(planned: CommandPlan[]) {
  const result: CommandResult = { status: 'Failed', ...(worstReport ? { report: worstReport } : {}) };
  const commands = planned.map((command): NodeCommand => ({ ...command, kind: 'NETWORK_LOSS' }));
  const results = commands.map(() => result);
  return answersOf({ commands, services: [] }, { results, starts: [] });
}

/** Every host failed to revert it, and says as much as it can. */
function worstRollback(commands: { node: string; instanceId: string; faultId: string }[]): RollbackResult {
  const lines = Array.from({ length: 51 }, () => '-A HOLDFAST '.padEnd(400, '-j DROP '));
  const nodes = commands.map(
    ({ node, instanceId, faultId }): NodeRollback => ({
      ...{ node, instanceId, faultId, outcome: 'FAILED', revertReason: WORD, effectLostAt: WORD, liftedAt: WORD },
      ...remarksOf(worstReport),
      fence: { outcome: WORD, raisedAt: WORD, loweredAt: WORD },
      leftovers: lines,
      changes: lines,
      detail: 'x'.repeat(24_000),
    }),
  );
  const problems = nodes.map(
    ({ node }) => `${node}: the fence ended as ${WORD}, which is not known: clients may not have been kept away`,
  );
  return { outcome: 'ROLLBACK_FAILED', rolledBackAt: iso(0), nodes, problems };
}

const large: Size = { liveNodes: 99, targets: 1, faults: 10, addresses: 2, nameLength: 14 };

describe('the size of a run', () => {
  it('lets ten faults on a node towards all 98 others through: of a peer only name and addresses are carried', () => {
    const { refusal, targets, commands } = runOf(large);
    expect(refusal).toBeUndefined();
    expect(targets.faults[0]?.peers[0]).toEqual({ name: expect.any(String), addresses: expect.any(Array) });
    expect(commands[0]?.parameters.peerAddresses?.split(',')).toHaveLength(2 * 98);
  });

  it('lets one fault on 30 of 300 nodes through: the undo of each does not name 270 peers again', () => {
    const { refusal, commands } = runOf({ ...large, liveNodes: 300, targets: 30, faults: 1 });
    expect(refusal).toBeUndefined();
    expect(commands[0]?.undo[0]).toMatch(/ and 260 more no more$/);
  });

  it('is refused in words and numbers where it cannot be carried, or not be recorded', () => {
    expect(runOf({ ...large, liveNodes: 300, targets: 30, faults: 10 }).refusal).toMatchObject({
      type: 'urn:holdfast:problem:experiment-too-large',
      status: 422,
      detail: expect.stringMatching(/experiment and targets are \d+ bytes, at most \d+/),
      bytes: expect.any(Number),
      maxBytes: MAX_RUN_BYTES,
    });
    expect(runOf({ ...large, liveNodes: 300, targets: 30, faults: 2 }).refusal).toMatchObject({
      detail: expect.stringMatching(/commands are \d+ bytes/),
      maxBytes: MAX_ENTRY_BYTES,
    });
  });

  it('leaves room in every entry of the log where there are as many commands as there can be', () => {
    const most = { liveNodes: 300, targets: 90, addresses: 1, nameLength: 1, scope: 'node' } as const;
    expect(runOf({ ...most, faults: 4 }).refusal).toBeDefined();
    const { commands, refusal } = runOf({ ...most, faults: 3 });
    expect(refusal).toBeUndefined();
    const answers = worstAnswers(commands);
    const { nodes } = boundedResult(worstRollback(commands), MAX_ENTRY_BYTES);
    expect(bytesOf(answers)).toBeLessThanOrEqual(MAX_ENTRY_BYTES);
    expect(bytesOf(nodes)).toBeLessThanOrEqual(MAX_ENTRY_BYTES);
    for (const { effect, notes } of [...answers.nodes, ...nodes])
      expect([effect, notes]).toEqual([worstReport?.effect, ['and 4 more']]);
    for (const { leftovers, changes } of nodes)
      expect([leftovers, changes]).toEqual([['and 51 more'], ['and 51 more']]);
    expect(answersOf({ commands: [], services: [] }, undefined)).toEqual({ nodes: [], services: [] });
  });

  it('fits into a state and into every entry of the log to its very end, or is refused', () => {
    const sizes = fc.record({
      liveNodes: fc.integer({ min: 3, max: 300 }),
      targets: fc.integer({ min: 1, max: 100 }),
      faults: fc.integer({ min: 1, max: 10 }),
      addresses: fc.integer({ min: 1, max: 4 }),
      nameLength: fc.integer({ min: 1, max: 60 }),
      scope: fc.constantFrom('peers', 'node'),
    });
    let admitted = 0;
    fc.assert(
      fc.property(sizes, ({ targets: most, ...size }) => {
        const liveNodes = size.liveNodes - (size.liveNodes % 3);
        const run = runOf({ ...size, liveNodes, targets: Math.min(most, Math.max(1, Math.floor(liveNodes / 3))) });
        if (run.refusal) return;
        admitted += 1;
        const { experiment, targets, commands } = run;
        const rollback = worstRollback(commands);
        const carried: ExperimentRun = {
          ...{ experimentId: experiment.experimentId, experiment, caller: CALLER, rollbackOnly: false, targets },
          rollback: summaryOf(rollback),
        };
        expect(bytesOf(carried)).toBeLessThan(STATE_BYTES - REST_BYTES);
        // An entry keeps its details as JSON in a string of its own.
        expect(bytesOf({ details: JSON.stringify({ commands }) })).toBeLessThan(ITEM_BYTES);
        expect(bytesOf(boundedResult(rollback, MAX_ENTRY_BYTES))).toBeLessThanOrEqual(MAX_ENTRY_BYTES);
        expect(bytesOf(worstAnswers(commands))).toBeLessThanOrEqual(MAX_ENTRY_BYTES);
      }),
      { numRuns: 40 },
    );
    expect(admitted).toBeGreaterThan(0);
  });
});

describe('the evidence of a rollback', () => {
  const { commands } = runOf({ ...large, liveNodes: 300, targets: 100, faults: 1 });
  const worst = worstRollback(commands);

  it('is cut to fit, and still tells of every node that something was left over', () => {
    const bounded = boundedResult(worst, MAX_ENTRY_BYTES);
    expect(bytesOf(bounded)).toBeLessThanOrEqual(MAX_ENTRY_BYTES);
    expect(bounded.nodes).toHaveLength(100);
    for (const { outcome, leftovers, fence } of bounded.nodes) {
      expect([outcome, fence?.outcome]).toEqual(['FAILED', WORD]);
      expect(leftovers.at(-1)).toMatch(/^and \d+ more$/);
    }
  });

  it('is kept whole where there is room', () => {
    const one = { ...worst, nodes: worst.nodes.slice(0, 1) };
    expect(boundedResult(one, MAX_ENTRY_BYTES)).toEqual(one);
  });
});

it('an error that speaks of every node is cut before the state machine carries it on', () => {
  expect(new WorkflowError(ErrorName.InjectionFailed, 'node: no report; '.repeat(1000)).message).toHaveLength(
    MAX_REASON_CHARACTERS,
  );
  expect(cut('as it is', 8)).toBe('as it is');
  expect(firstLines(['a', 'b', 'c'], 2, 9)).toEqual(['a', 'b', 'and 1 more']);
});
