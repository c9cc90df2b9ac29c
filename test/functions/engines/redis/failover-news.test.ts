import { describe, expect, it } from 'vitest';
import { failoverNews } from '../../../../functions/engines/redis/failover-news.ts';
import { targetNode } from '../../domain/target-fixtures.ts';

const members = [1, 2, 3].map((number) => targetNode(number, { addresses: [`10.0.0.${number}`], port: 6379 }));
const heard = (channel: string, message: string) =>
  failoverNews('shard-1', { node: 'redis-node-2', channel, message, uncertaintyMs: 7 }, members);

describe('news of a failover from a Sentinel', () => {
  it.each([
    ['+sdown', 'master shard-1 10.0.0.3 6379', 'SUSPECTED', '+sdown redis-node-3'],
    ['+odown', 'master shard-1 10.0.0.3 6379 #quorum 2/2', 'DETECTED', '+odown redis-node-3 #quorum 2/2'],
    [
      '+switch-master',
      'shard-1 10.0.0.3 6379 10.0.0.1 6379',
      'ELECTED',
      '+switch-master redis-node-1, was redis-node-3',
    ],
    ['+switch-master', 'shard-1 three 6379 one 6379', 'ELECTED', '+switch-master one:6379, was three:6379'],
  ])('%s %s is %s, in words that name the nodes', (channel, message, what, words) => {
    expect(heard(channel, message)).toEqual({ what, text: `Sentinel of redis-node-2: ${words}`, uncertaintyMs: 7 });
  });

  it.each([
    ['a replica that is doubted', '+sdown', 'slave 10.0.0.1:6379 10.0.0.1 6379 @ shard-1 10.0.0.3 6379'],
    ['a Sentinel that is doubted', '+sdown', 'sentinel abc 10.0.0.1 26379 @ shard-1 10.0.0.3 6379'],
    ['the master of another shard', '+odown', 'master shard-2 10.0.0.3 6379 #quorum 2/2'],
    ['another shard', '+switch-master', 'shard-2 10.0.0.3 6379 10.0.0.1 6379'],
    ['something else', '+tilt', 'master shard-1 10.0.0.3 6379'],
  ])('is not %s', (_what, channel, message) => {
    expect(heard(channel, message)).toBeUndefined();
  });
});
