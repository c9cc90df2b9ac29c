import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rolesText, selectorsOf } from '../../../functions/domain/role-words.ts';
import { roleIn } from './target-fixtures.ts';

/** Three brokers with a part in everything; the second one is also the controller. */
const broker = (number: number, controller = 2) => ({
  name: `kafka-node-${number}`,
  roles: [
    ...[0, 1, 2].map((part) => roleIn(`holdfast-probe-${part}`, part === number - 1 ? 'leader' : 'follower')),
    roleIn('quorum', number === controller ? 'controller' : 'voter'),
    roleIn('group-orders-workers', number === 3 ? 'coordinator' : 'follower'),
  ],
});
const brokers = [1, 2, 3].map((number) => broker(number));

describe('the roles of a node in words', () => {
  it('begin with what it was chosen by, then say what it alone is, and how many roles are left out', () => {
    expect(rolesText(broker(2), [{ role: 'leader', of: 'orders-0' }], brokers)).toBe(
      'leader of orders-0, as asked for; leader of holdfast-probe-1; controller of quorum; follower of holdfast-probe-0; and 2 more',
    );
    expect(rolesText(broker(3), [{ role: 'coordinator', of: 'orders-workers' }], brokers)).toMatch(
      /^coordinator of group-orders-workers, as asked for; leader of holdfast-probe-2; follower of /,
    );
    expect(rolesText(broker(2), [{ role: 'controller' }], brokers)).toMatch(
      /^controller of quorum, as asked for; leader of holdfast-probe-1; /,
    );
    expect(rolesText(broker(1), [{ role: 'rest' }], brokers)).toMatch(/^rest, as asked for; leader of /);
  });

  it('are one short word where there is one role', () => {
    const node = { name: 'redis-node-3', roles: [roleIn('shard-1', 'master')] };
    expect(rolesText(node, [], [node])).toBe('master of shard-1');
    expect(rolesText(node, [{ role: 'master', of: 'shard-1', count: 1 }], [])).toBe('master of shard-1, as asked for');
    expect(rolesText({ name: 'n', roles: [] }, [], [])).toBe('');
  });

  it('hide neither what was asked for nor a role that no other node has behind common ones, and lose none of the count', () => {
    const shard = fc.integer({ min: 0, max: 30 }).map((number) => `s-${number}`);
    fc.assert(
      fc.property(fc.uniqueArray(shard, { minLength: 1, maxLength: 20 }), fc.nat(), (shards, at) => {
        const led = shards[at % shards.length] ?? '';
        const roles = shards.map((name) => roleIn(name, name === led ? 'leader' : 'follower'));
        const others = ['b', 'c'].map((name) => ({ name, roles: shards.map((each) => roleIn(each, 'follower')) }));
        const text = rolesText({ name: 'a', roles }, [{ role: 'controller', of: 'quorum' }], others);
        const said = text.split('; ');
        const more = Number(/and (\d+) more$/.exec(text)?.[1] ?? 0);
        expect(said.slice(0, 2)).toEqual(['controller of quorum, as asked for', `leader of ${led}`]);
        expect(said.length).toBeLessThanOrEqual(5);
        expect(said.length - (more > 0 ? 1 : 0) + more).toBe(shards.length + 1);
      }),
    );
  });

  it('are asked for only of the nodes that were found for the selector', () => {
    const selector = { role: 'leader', of: 'orders-0' };
    const faults = [{ chosenBy: [{ field: 'targetNodes', selector, nodes: ['kafka-node-2'] }] }, {}];
    expect(selectorsOf('kafka-node-2', faults)).toEqual([selector]);
    expect(selectorsOf('kafka-node-1', faults)).toEqual([]);
  });
});
