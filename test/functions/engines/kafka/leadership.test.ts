import { describe, expect, it } from 'vitest';
import { Leadership, type Look } from '../../../../functions/engines/kafka/leadership.ts';

const broker = (nodeId: number) => ({ nodeId, host: `10.0.0.${nodeId}`, port: 9092, rack: null });
const lookAt = (heardMs: number, changes: Partial<Look> = {}): Look => {
  const { leader = -1, leaderEpoch: epoch = 5 } = { leader: 1, ...changes };
  return {
    ...{ topicId: 't', leader: 1, leaderEpoch: 5, replicas: [1, 2, 3], inSync: [1, 2, 3], by: 'kafka-node-2' },
    ...{ brokers: [1, 2, 3].map(broker), askedMs: heardMs - 10, heardMs, ...changes },
    leaders: [{ partition: 0, leader, epoch }, ...(changes.leaders ?? [])],
  };
};
const withoutFirst = { brokers: [2, 3].map(broker) };
const newsOf = (...looks: Look[]) => {
  const leadership = new Leadership((id) => `kafka-node-${id}`);
  const news = looks.flatMap((look) => leadership.news(look));
  return { news, changes: leadership.changes };
};

describe('what looks at a partition say of a failover', () => {
  it('is nothing while everything stays as it was at the first look, whatever that was', () => {
    expect(newsOf(lookAt(0), lookAt(200))).toEqual({ news: [], changes: 0 });
    expect(newsOf(lookAt(0, withoutFirst), lookAt(200, withoutFirst))).toEqual({ news: [], changes: 0 });
  });

  it('is that a broker was fenced and who was elected, each at most as late as the time between the looks', () => {
    const { news, changes } = newsOf(
      lookAt(0),
      lookAt(200, { ...withoutFirst, leader: undefined, leaderEpoch: 6 }),
      lookAt(400, { ...withoutFirst, leader: 3, leaderEpoch: 7 }),
    );
    const at = (what: string, words: string) => ({
      what,
      text: `metadata of kafka-node-2: ${words}`,
      uncertaintyMs: 210,
    });
    expect(news).toEqual([
      at('DETECTED', 'kafka-node-1 is fenced, its session with the controller is over'),
      at('ELECTED', 'kafka-node-3 leads in epoch 7, was kafka-node-1'),
    ]);
    expect(changes).toBe(1);
  });

  it('counts the time in which nobody answered to what is not known', () => {
    const [detected] = newsOf(lookAt(0), lookAt(5000, withoutFirst)).news;
    expect(detected?.uncertaintyMs).toBe(5010);
  });

  it('takes the same leader for elected again only when nobody led meanwhile', () => {
    expect(newsOf(lookAt(0), lookAt(200, { leaderEpoch: 6 })).changes).toBe(0);
    const leaderless = lookAt(200, { leader: undefined, leaderEpoch: 6 });
    expect(newsOf(lookAt(0), leaderless, lookAt(400, { leaderEpoch: 7 })).changes).toBe(1);
  });

  it('counts the new leaders of the other partitions of the topic too', () => {
    const other = (leader: number, epoch: number) => ({ leaders: [{ partition: 1, leader, epoch }] });
    const looks = [
      lookAt(0, other(2, 3)),
      lookAt(200, other(-1, 4)),
      lookAt(400, other(3, 5)),
      lookAt(600, other(2, 3)),
    ];
    expect(newsOf(...looks)).toEqual({ news: [], changes: 1 });
  });

  it('is nothing that an old view says, of a broker that lags behind', () => {
    const { news, changes } = newsOf(lookAt(0), lookAt(200, { leader: 3, leaderEpoch: 6 }), lookAt(400), lookAt(600));
    expect(news.map(({ what }) => what)).toEqual(['ELECTED']);
    expect(changes).toBe(1);
  });
});
