import { describe, expect, it } from 'vitest';
import { eventDetailOf } from '../../../functions/domain/events.ts';
import type { Notice } from '../../../functions/domain/notice.ts';
import { notify } from '../../../functions/notify/notify.ts';
import { fullRun, logOf } from '../domain/fixtures.ts';
import { memoryAuditLog } from '../tables/memory-audit-log.ts';

type Entries = ReturnType<typeof logOf>;

/** Topics that keep what they are given, over a log. */
function world(entries: Entries, read = memoryAuditLog({ entries }).read) {
  const published: [string, Pick<Notice, 'subject' | 'body'>][] = [];
  const topicOf = (severity: string) => ({
    publish: async (notice: Pick<Notice, 'subject' | 'body'>) => {
      published.push([severity, notice]);
      return { topicArn: severity, messageId: 'message-1' };
    },
  });
  const tell = (entry: Entries[number] | undefined) =>
    notify({ detail: entry ? eventDetailOf(entry) : {} } as Parameters<typeof notify>[0], { audit: { read }, topicOf });
  return { published, tell };
}
const failing = () => Promise.reject(new Error('throttled'));

describe('telling people', () => {
  it('publishes to the topic of the severity, in the words of the whole log', async () => {
    const log = logOf('exp', ['ADMITTED'], ['INJECTED'], ['ROLLBACK_FAILED']);
    const { published, tell } = world(log);
    for (const each of log) await tell(each);
    expect(published.map(([severity]) => severity)).toEqual(['INFO', 'CRITICAL']);
    expect(published[0]?.[1].body).toMatch(/^STARTED: NETWORK_PARTITION on redis-node-3 \(redis-master\)\n/);
  });

  it('tells a run from its start to its verdict, and nothing twice', async () => {
    const log = fullRun({ CONCLUDED: {} });
    const { published, tell } = world(log);
    for (const each of log) await tell(each);
    expect(published.map(([, { subject }]) => subject.split(' ')[2])).toEqual(['started', 'ended']);
  });

  it('tells those who heard an announcement that nothing was started, and of a start that was not announced nobody more', async () => {
    const end = ['CONCLUDED', { status: 'ABORTED', outcome: 'INCONCLUSIVE' }] as const;
    const told = async (log: Entries) => {
      const { published, tell } = world(log);
      await tell(log.at(-1));
      return published.map(([severity]) => severity);
    };
    expect(await told(logOf('exp', ['ADMITTED'], ['ANNOUNCED'], end))).toEqual(['WARNING', 'INFO']);
    expect(await told(logOf('exp', ['ADMITTED'], ['ANNOUNCED'], ['INJECTED'], end))).toEqual(['WARNING']);
    expect(await told(logOf('exp', ['ADMITTED'], end))).toEqual(['WARNING']);
  });

  it('tells nothing that is not in the log: whoever may put events could make up any', async () => {
    const log = logOf('exp', ['ADMITTED'], ['ROLLBACK_FAILED']);
    const { published, tell } = world(log.slice(0, 1));
    expect(await tell(log[1])).toBe('not in the log');
    const forged = world(log);
    expect(await forged.tell({ ...log[1], hash: '0'.repeat(64) } as Entries[number])).toBe('not in the log');
    expect([...published, ...forged.published]).toEqual([]);
  });

  it('tells by the event alone when the log cannot be read: silence would be worse', async () => {
    const { published, tell } = world([], failing);
    expect(await tell(logOf('exp', ['ADMITTED'], ['ROLLBACK_FAILED'])[1])).toBe('told');
    expect(published).toMatchObject([['CRITICAL', { subject: expect.stringContaining('rollback failed exp') }]]);
  });

  it('throws for what is no entry of ours, and for a topic that takes nothing, so that it is tried again', async () => {
    await expect(world([], failing).tell(undefined)).rejects.toThrow('audit log');
    const [, entry] = logOf('exp', ['ADMITTED'], ['ROLLBACK_FAILED']);
    if (!entry) throw new Error('the log has two entries');
    const topicOf = () => ({ publish: () => Promise.reject(new Error('sns is down')) });
    await expect(
      notify({ detail: eventDetailOf(entry) as never }, { audit: { read: failing }, topicOf }),
    ).rejects.toThrow('sns is down');
  });

  it('tells a doubled event twice in the same words: nothing remembers what was told, so that nothing can lose it', async () => {
    const log = logOf('exp', ['ADMITTED'], ['ROLLBACK_FAILED']);
    const { published, tell } = world(log);
    await tell(log[1]);
    await tell(log[1]);
    expect(published).toHaveLength(2);
    expect(published[1]).toEqual(published[0]);
  });

  it('ignores what it does not know to tell', async () => {
    const { published, tell } = world(logOf('exp', ['ADMITTED']));
    expect(await tell(logOf('exp', ['ADMITTED'])[0])).toBe('nothing to tell');
    expect(published).toEqual([]);
  });
});
