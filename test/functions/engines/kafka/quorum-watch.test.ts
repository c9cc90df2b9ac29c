import { expect, it } from 'vitest';
import type { OpenBroker } from '../../../../functions/engines/kafka/connection.ts';
import { QuorumWatch } from '../../../../functions/engines/kafka/quorum-watch.ts';
import { SimulatedClock } from '../../domain/simulated-clock.ts';
import { targetNode } from '../../domain/target-fixtures.ts';

/** Two brokers: each can be reached or not, and is answered by a controller or not. */
function world() {
  const brokers = { 1: { isThere: true, leader: 2 }, 2: { isThere: true, leader: 2 } };
  const open = new Set<number>();
  const opened: number[] = [];
  const clock = new SimulatedClock();
  const watch = new QuorumWatch({
    clock,
    members: [1, 2].map((number) => targetNode(number, { name: String(number) })),
    async open(node) {
      const number = Number(node.name) as 1 | 2;
      const broker = brokers[number];
      if (!broker.isThere) throw new Error('refused');
      open.add(number);
      opened.push(number);
      const answer = () => ({
        topics: [{ partitions: [{ leaderId: broker.leader, leaderEpoch: 1, currentVoters: [] }] }],
      });
      const ask = async () => (broker.isThere ? answer() : Promise.reject(new Error('reset')));
      return { ask, isOpen: () => open.has(number), hangUp: () => open.delete(number) } as unknown as OpenBroker;
    },
  });
  const run = watch.run(() => {});
  return { brokers, open, opened, clock, watch, run };
}

it('asks one broker for as long as it answers, and the next one when it does not', async () => {
  const { brokers, open, opened, clock, watch } = world();
  await clock.sleep(10_000);
  expect([watch.activeControllers, opened]).toEqual([1, [1]]);
  brokers[1].isThere = false;
  await clock.sleep(10_000);
  expect([watch.activeControllers, opened, [...open]]).toEqual([1, [1, 2], [2]]);
  watch.close();
});

it('says 0 when brokers answer and have heard of none for 3 s, and nothing when there is no broker to ask', async () => {
  const { brokers, clock, watch } = world();
  await clock.sleep(2000);
  for (const broker of Object.values(brokers)) broker.leader = -1;
  await clock.sleep(1500);
  expect(watch.activeControllers).toBe(1);
  await clock.sleep(3000);
  expect(watch.activeControllers).toBe(0);
  for (const broker of Object.values(brokers)) broker.isThere = false;
  await clock.sleep(2000);
  expect(watch.activeControllers).toBeUndefined();
  Object.assign(brokers[2], { isThere: true, leader: 1 });
  await clock.sleep(2000);
  expect(watch.activeControllers).toBe(1);
  watch.close();
});

it('ends with its probe, and leaves nothing open', async () => {
  const { open, opened, clock, watch, run } = world();
  await clock.sleep(2000);
  watch.close();
  await run;
  expect([...open]).toEqual([]);
  await clock.sleep(5000);
  expect(opened).toEqual([1]);
});
