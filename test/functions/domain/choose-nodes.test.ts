import { describe, expect, it } from 'vitest';
import { chooseNodes, movedChoices } from '../../../functions/domain/choose-nodes.ts';
import type { Fault, UnchosenFault } from '../../../functions/domain/experiment.ts';
import { isFaultParameters, type RequestedParameters } from '../../../functions/domain/faults/catalogue.ts';
import type { NodeEntry } from '../../../functions/domain/select-nodes.ts';
import { BROKERS, broker, brokerTopology, type Leads } from './broker-fixtures.ts';

const unchosen = (parameters: RequestedParameters): UnchosenFault => ({
  ...{ faultId: 'exp.1', name: '1', kind: parameters.kind, cluster: 'kafka-orders', startSeconds: 0, parameters },
});
const partition = (a: NodeEntry[], b: NodeEntry[]) =>
  unchosen({
    ...{ kind: 'NETWORK_PARTITION', latencyMs: 0, packetLossPct: 100, scope: 'isolate', direction: 'both' },
    targetPartitionGroupA: a,
    targetPartitionGroupB: b,
  });
const pause = (...targetNodes: NodeEntry[]) => unchosen({ kind: 'PROCESS_PAUSE', targetNodes });
const LEADER = { role: 'leader', of: 'orders-0' };

const choose = (fault: UnchosenFault, leads: Leads = {}) =>
  chooseNodes(fault, BROKERS, brokerTopology(leads), ['parameters']);
function chosen(fault: UnchosenFault, leads: Leads = {}): Fault {
  const choice = choose(fault, leads);
  if (!choice.ok) throw new Error(JSON.stringify(choice.errors));
  return choice.fault;
}

describe('naming the nodes of a fault', () => {
  it('leaves names only, and beside them what they were chosen by', () => {
    const fault = chosen(partition([{ role: 'rest' }], [LEADER]));
    expect(fault).toMatchObject({
      impactedNodes: [broker(2)],
      parameters: { targetPartitionGroupA: [broker(1), broker(3)], targetPartitionGroupB: [broker(2)] },
      chosenBy: [
        { field: 'targetPartitionGroupA', selector: { role: 'rest' }, nodes: [broker(1), broker(3)] },
        { field: 'targetPartitionGroupB', selector: LEADER, nodes: [broker(2)] },
      ],
    });
    expect(isFaultParameters(fault.parameters)).toBe(true);
  });

  it('impacts the smaller group as it is after the choice, whichever was written first', () => {
    const a = chosen(partition([{ role: 'minority', of: 'quorum' }], [{ role: 'rest' }]));
    expect(a.impactedNodes).toEqual([broker(1)]);
  });

  it('takes names and roles in one list, in their order', () => {
    expect(chosen(pause(broker(3), LEADER)).impactedNodes).toEqual([broker(3), broker(2)]);
  });

  it('names the field of a role that nobody has, at its place in the payload', () => {
    expect(choose(pause(broker(3), { role: 'leader', of: 'order-0' }))).toMatchObject({
      errors: [{ field: 'parameters.targetNodes.1.of', allowed: expect.stringContaining('orders-0') }],
    });
  });

  it.each([
    ['two roles of one node in a list', pause(LEADER, { role: 'controller' }), 'parameters.targetNodes', /twice/],
    ['a role of a node that is named too', pause(broker(2), LEADER), 'parameters.targetNodes', /twice/],
    [
      'one node on both sides',
      partition([{ role: 'controller' }], [LEADER]),
      'parameters.targetPartitionGroupB',
      /that is in targetPartitionGroupA/,
    ],
    [
      'the rest on both sides',
      partition([{ role: 'rest' }], [{ role: 'rest' }]),
      'parameters.targetPartitionGroupB.0.role',
      /nobody/,
    ],
  ])('refuses %s, and says who it is', (_what, fault, field, message) => {
    expect(choose(fault)).toEqual({
      ok: false,
      errors: [{ field, message: expect.stringMatching(message), allowed: expect.stringMatching(/\S/) }],
    });
  });

  it('says which roles came to the same node', () => {
    expect(choose(pause(LEADER, { role: 'controller' }))).toMatchObject({
      errors: [{ message: /leader of orders-0 is kafka-node-2; controller is kafka-node-2/ }],
    });
  });
});

describe('making the choice again', () => {
  const moved = (fault: Fault, leads: Leads) => movedChoices(fault, BROKERS, brokerTopology(leads));

  it('finds nothing moved while the same nodes would be chosen, whatever else moves', () => {
    expect(moved(chosen(partition([LEADER], [{ role: 'rest' }])), { controller: 3 })).toEqual([]);
  });

  it('says who has the role now, and who was admitted', () => {
    expect(moved(chosen(pause(LEADER)), { orders: 3 })).toEqual([
      { line: 'exp.1: the leader of orders-0 is kafka-node-3 now, kafka-node-2 was admitted', lost: [broker(2)] },
    ]);
  });

  it('counts a role that nobody has for certain as lost by all that were admitted with it', () => {
    const fault = chosen(pause({ role: 'follower', of: 'orders-0', count: 2 }));
    expect(moved(fault, { orders: undefined })).toEqual([
      {
        line: expect.stringMatching(
          /2 × follower of orders-0 is not certain now .*kafka-node-1, kafka-node-3 was admitted/,
        ),
        lost: [broker(1), broker(3)],
      },
    ]);
  });

  it('finds the rest changed by a node that is new', () => {
    const fault = chosen(partition([LEADER], [{ role: 'rest' }]));
    expect(movedChoices(fault, [...BROKERS, broker(4)], brokerTopology())).toMatchObject([{ lost: [] }]);
  });
});
