import { describe, expect, it } from 'vitest';
import type { KillSwitch } from '../../../functions/domain/kill-switch.ts';
import type { Notice } from '../../../functions/domain/notice.ts';
import { noticeOf } from '../../../functions/domain/notice.ts';
import { RECORD_DEADLINE_MS } from '../../../functions/domain/timing.ts';
import { type RecordEngagedDependencies, recordEngaged } from '../../../functions/rollback/record-engaged.ts';
import { CALLER } from '../domain/fixtures.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';
import { memoryAuditLog } from '../tables/memory-audit-log.ts';

const fail = async () => {
  throw new Error('no answer');
};
const hang = () => new Promise<never>(() => {});
const LOG = 'KILL_SWITCH#GLOBAL';

/** @param found what the rows say */
function world(found: (clock: SimulatedClock) => KillSwitch[], changes: Partial<RecordEngagedDependencies> = {}) {
  const clock = new SimulatedClock();
  const audit = memoryAuditLog({ clock });
  const pages: Pick<Notice, 'subject' | 'body'>[] = [];
  const dependencies: RecordEngagedDependencies = {
    clusters: ['redis-master'],
    switches: { read: async () => found(clock) },
    audit,
    topic: { publish: async (notice) => ({ topicArn: '', messageId: `${pages.push(notice)}` }) },
    clock,
    ...changes,
  };
  return { clock, audit, pages, run: () => recordEngaged(dependencies) };
}
const byHand = (): KillSwitch[] => [
  { engaged: true, engagement: {} },
  { cluster: 'redis-master', engaged: false },
];
const ago = (clock: SimulatedClock, ms: number) => new Date(clock.nowEpochMs() - ms).toISOString();

describe('a kill switch that is engaged past the log', () => {
  it('by hand is put on record once, which tells people at the highest severity', async () => {
    const { audit, pages, run } = world(byHand);
    await run();
    await run();
    expect(audit.entries).toMatchObject([
      { experimentId: LOG, type: 'KILL_SWITCH_ENGAGING', actor: { function: 'sweep' } },
    ]);
    const [entry] = audit.entries;
    expect(entry && noticeOf(entry)).toMatchObject({
      severity: 'CRITICAL',
      body: expect.stringMatching(/^ENGAGED: kill switch of all clusters\nall clusters: nobody said why\nBy somebody/),
    });
    expect(pages).toEqual([]);
  });

  it('while the log was down is put on record with who did it, when, and why', async () => {
    const engagement = { by: CALLER.arn, reason: 'a bad release' };
    const { audit, run } = world((clock) => [
      { cluster: 'redis-master', engaged: true, engagement: { ...engagement, at: ago(clock, 60_000) } },
    ]);
    await run();
    expect(audit.detailsOf('KILL_SWITCH_ENGAGING')).toMatchObject([
      { cluster: 'redis-master', reason: 'a bad release', engagedBy: CALLER.arn, engagedAt: expect.any(String) },
    ]);
  });

  it.each([
    ['fails', fail],
    ['hangs', hang],
  ])('is told past a log that %s', async (_what, broken) => {
    for (const changes of [{ append: broken }, { latest: broken }]) {
      const { pages, run } = world(byHand, { audit: { ...memoryAuditLog(), ...changes } });
      await run();
      expect(pages).toMatchObject([{ subject: expect.stringMatching(/^CRITICAL Holdfast: engaged kill switch/) }]);
    }
  });

  it('that can be told to nobody is a failure, and keeps no other from being told', async () => {
    let calls = 0;
    const publish = () => (++calls === 1 ? fail() : Promise.resolve({ topicArn: '', messageId: '' }));
    const all = () => byHand().map((each) => ({ ...each, engaged: true }));
    const { run } = world(all, { audit: { append: fail, latest: fail }, topic: { publish } });
    await expect(run()).rejects.toThrow('1 engaged switches were told to nobody');
    expect(calls).toBe(2);
  });

  it('has still time to be put on record by whoever engages it', async () => {
    let agoMs = RECORD_DEADLINE_MS - 1;
    const { audit, run } = world((clock) => [{ engaged: true, engagement: { at: ago(clock, agoMs) } }]);
    await run();
    expect(audit.entries).toEqual([]);
    agoMs = RECORD_DEADLINE_MS;
    await run();
    expect(audit.entries).toHaveLength(1);
  });
});

describe('a kill switch that is on record', () => {
  it('is told no second time', async () => {
    const { clock, audit, run } = world((now) => [{ engaged: true, engagement: { at: ago(now, 60_000 - 200) } }]);
    await audit.append(LOG, 'KILL_SWITCH_ENGAGING', CALLER, { reason: 'a bad release' });
    await audit.append(LOG, 'KILL_SWITCH_ENGAGED', CALLER, { alreadyEngaged: false, steps: [] });
    await clock.sleep(60_000);
    await run();
    expect(audit.entries).toHaveLength(2);
  });

  it.each([
    ['after a re-arming that is on record', 'KILL_SWITCH_RE_ARMING'],
    ['long after an engagement, as whoever re-armed by hand left no entry', 'KILL_SWITCH_ENGAGING'],
  ] as const)('is another one %s', async (_what, last) => {
    const { clock, audit, run } = world((now) => [{ engaged: true, engagement: { at: ago(now, 4000) } }]);
    await audit.append(LOG, 'KILL_SWITCH_ENGAGING', CALLER, { reason: 'a bad release' });
    await audit.append(LOG, last, CALLER, { reason: 'x' });
    await clock.sleep(60_000);
    await run();
    expect(audit.entries).toHaveLength(3);
  });
});
