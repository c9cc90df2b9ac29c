import type { FailoverNews } from '../../domain/recovery-phases.ts';
import type { TargetNode } from '../../domain/targets.ts';
import { masterSwitch } from './follow-failovers.ts';
import type { SentinelEvent } from './sentinel-events.ts';

/** One Sentinel's doubt is a suspicion; `+odown` says that as many agree as may begin a failover. */
const DOUBTS: Readonly<Record<string, FailoverNews['what']>> = { '+sdown': 'SUSPECTED', '+odown': 'DETECTED' };

/** What an event says of the shard's failover, in words that name nodes; undefined: nothing. */
export function failoverNews(
  shard: string,
  event: SentinelEvent,
  members: readonly Pick<TargetNode, 'name' | 'addresses' | 'port'>[],
): FailoverNews | undefined {
  const { node, channel, message, uncertaintyMs } = event;
  const nameOf = (at: string) =>
    members.find(({ addresses, port }) => addresses.some((address) => `${address}:${port}` === at))?.name ?? at;
  const news = (what: FailoverNews['what'], words: string) => ({
    ...{ what, uncertaintyMs },
    text: `Sentinel of ${node}: ${channel} ${words}`,
  });
  const switched = masterSwitch(shard, event);
  if (switched) return news('ELECTED', `${nameOf(switched.to)}, was ${nameOf(switched.from)}`);
  const [, name, host, port, ...rest] = message.split(' ');
  const doubt = DOUBTS[channel];
  // Replicas and Sentinels are doubted in the same words, each by its own name; that of a shard is its master's.
  if (!doubt || name !== shard) return undefined;
  return news(doubt, [nameOf(`${host}:${port}`), ...rest].join(' '));
}
