import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { swapNodes } from '../../../cli/campaign/swap-nodes.ts';

const node = fc.constantFrom('node-1', 'node-2', 'node-3', 'node-4');
const parameters = fc.dictionary(
  fc.constantFrom('targetNodes', 'packetLossPct', 'toNodes', 'targetPartitionGroupA', 'node-1'),
  fc.oneof(node, fc.integer(), fc.array(node), fc.constant(null), fc.dictionary(fc.string(), node)),
);
const payload = fc.record(
  {
    experimentId: node,
    targetService: node,
    parameters,
    faults: fc.array(fc.oneof(fc.record({ name: node, parameters }), fc.integer())),
    durationSeconds: fc.integer(),
  },
  { requiredKeys: ['experimentId'] },
);

describe('two nodes changed for each other', () => {
  test('twice is as before, and nothing but the parameters changes', () => {
    fc.assert(
      fc.property(payload, node, node, (before, one, other) => {
        const after = swapNodes(before, one, other);
        expect(swapNodes(after, one, other)).toEqual(before);
        expect(swapNodes(before, other, one)).toEqual(after);
        if (one === other) expect(after).toEqual(before);
        const rest = ({ parameters: _, faults: __, ...others }: Record<string, unknown>) => others;
        expect(rest(after)).toEqual(rest(before));
      }),
    );
  });

  test('each name stands where the other stood, every other value where it was', () => {
    fc.assert(
      fc.property(payload, node, node, (before, one, other) => {
        const after = swapNodes(before, one, other);
        const leaves = (value: unknown): unknown[] =>
          typeof value === 'object' && value !== null ? Object.values(value).flatMap(leaves) : [value];
        const inParameters = ({ parameters: own, faults }: Record<string, unknown>) =>
          leaves([own, ...(Array.isArray(faults) ? faults.map((fault) => fault?.parameters) : [])]);
        const expected = inParameters(before).map((leaf) => (leaf === one ? other : leaf === other ? one : leaf));
        expect(inParameters(after)).toEqual(expected);
      }),
    );
  });

  test('a partition stays a partition: no node gets on both sides, and the sides keep their sizes', () => {
    const nodes = ['node-1', 'node-2', 'node-3', 'node-4', 'node-5'];
    fc.assert(
      fc.property(
        fc.shuffledSubarray(nodes, { minLength: 2 }),
        fc.nat(4),
        fc.constantFrom(...nodes),
        (chosen, cut, other) => {
          const at = 1 + (cut % (chosen.length - 1));
          const groups = { targetPartitionGroupA: chosen.slice(0, at), targetPartitionGroupB: chosen.slice(at) };
          const after = swapNodes({ parameters: groups }, chosen[0] ?? '', other).parameters as typeof groups;
          const [a, b] = [after.targetPartitionGroupA, after.targetPartitionGroupB];
          expect([a.length, b.length]).toEqual([at, chosen.length - at]);
          expect(new Set([...a, ...b]).size).toBe(chosen.length);
        },
      ),
    );
  });

  test('a name inside another string, a key and the name of the experiment stay', () => {
    const before = {
      experimentId: 'node-1',
      targetService: 'node-1',
      parameters: { 'node-1': 'node-11', targetNodes: ['node-1'] },
    };
    expect(swapNodes(before, 'node-1', 'node-2')).toEqual({
      ...before,
      parameters: { 'node-1': 'node-11', targetNodes: ['node-2'] },
    });
  });
});
