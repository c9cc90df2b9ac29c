import { describe, expect, it } from 'vitest';
import { healthOf } from '../../../../functions/engines/redis/health.ts';

const replica = (state: string, lag: number) => `ip=10.0.0.1,port=6379,state=${state},offset=14,lag=${lag}`;
const master = (...replicas: string[]) => ({
  role: 'master',
  connected_slaves: String(replicas.length),
  slave_read_repl_offset: '14',
  ...Object.fromEntries(replicas.map((fields, index) => [`slave${index}`, fields])),
});
const health = (named: string | undefined, infos: Record<string, Record<string, string>>) =>
  healthOf(Object.keys(infos).length, new Map(Object.entries(infos)), named);

describe('the health of a shard of Redis', () => {
  it('counts the replicas that its master has online and hears of', () => {
    const [both, one] = [
      [replica('online', 0), replica('online', 3)],
      [replica('online', 1), replica('wait_bgsave', 0)],
    ];
    expect(health('c', { c: master(...both), a: { role: 'slave' } })).toEqual({ masters: 1, onlineReplicas: 2 });
    expect(health('c', { c: master(...one) })).toEqual({ masters: 1, onlineReplicas: 1 });
    expect(health('c', { c: master() })).toEqual({ masters: 1, onlineReplicas: 0 });
  });

  it('does not count a replica of which the master has not heard for long, as one that is paused', () => {
    expect(health('c', { c: master(replica('online', 4), replica('online', 0)) })).toMatchObject({ onlineReplicas: 1 });
  });

  it('shows a split brain, and counts the replicas of the master that the Sentinels name', () => {
    const both = { c: master(replica('online', 0)), a: master(replica('online', 0), replica('online', 0)) };
    expect(health('a', both)).toEqual({ masters: 2, onlineReplicas: 2 });
  });

  it('does not say how many masters there are while a node is silent, which may take itself for one', () => {
    const seen = (infos: Record<string, Record<string, string>>) => healthOf(3, new Map(Object.entries(infos)), 'c');
    expect(seen({ c: master(replica('online', 0)), a: { role: 'slave' } })).toEqual({ onlineReplicas: 1 });
    expect(seen({ a: { role: 'slave' }, b: { role: 'slave' } })).toEqual({});
    // Two that say so are a split brain, whatever the third one says.
    expect(seen({ c: master(), a: master() })).toMatchObject({ masters: 2 });
  });

  it('says nothing of what it cannot know: who follows a master that does not answer, and anything when nobody does', () => {
    expect(health('c', { a: { role: 'slave' } })).toEqual({ masters: 0 });
    expect(health(undefined, { c: master(replica('online', 0)) })).toEqual({ masters: 1 });
    expect(health('c', { c: { role: 'slave' }, a: master() })).toEqual({ masters: 1 });
  });
});
