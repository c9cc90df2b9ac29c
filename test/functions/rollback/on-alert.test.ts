import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../../functions/domain/audit-entry.ts';
import { ALERT_SEVERITIES } from '../../../functions/domain/contract.ts';
import { TTL_SECONDS } from '../../../functions/domain/timing.ts';
import { onAlert } from '../../../functions/rollback/on-alert.ts';
import { firing, messageOf } from '../domain/alert-message-fixtures.ts';
import { seedExperiment } from '../domain/experiment-fixtures.ts';
import { fullRun, iso, logOf, runUntil } from '../domain/fixtures.ts';
import { expectedAlert, hypothesisOf } from '../domain/hypothesis-fixtures.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';
import { leaseOf, memoryLeases } from '../tables/lease-fixture.ts';
import { memoryAuditLog } from '../tables/memory-audit-log.ts';

const ID = 'exp_chaos_redis_019';
const TOPIC = 'arn:aws:sns:eu-west-1:111122223333:Holdfast-Alerts';

interface Plane {
  holder?: string | undefined;
  entries?: AuditEntry[] | Error;
}

/** One control plane, which remembers what was released; events go in one after the other. */
function plane(options: Plane = {}) {
  const clock = new SimulatedClock(Date.parse(iso(21)));
  const acts: string[] = [];
  let refused = 0;
  const entries = options.entries ?? runUntil('INJECTED');
  const log = memoryAuditLog({
    entries: entries instanceof Error ? [] : entries,
    onAppend: ({ type }) => acts.push(type),
  });
  const dependencies = {
    clusters: ['redis-master', 'other'],
    topicArn: TOPIC,
    countRefused: () => {
      refused += 1;
    },
    locks: {
      holder: async (cluster: string) =>
        cluster !== 'redis-master' ? undefined : 'holder' in options ? options.holder : ID,
    },
    audit: {
      read: async (id: string) => {
        if (entries instanceof Error) throw entries;
        return log.read(id);
      },
      appendOnce: log.appendOnce,
    },
    leases: memoryLeases(leaseOf(), (reason) => acts.push(`release ${reason}`)),
    clock,
  };
  const recordOf = (Message: string, change: Record<string, unknown> = {}) => ({
    EventSource: 'aws:sns',
    EventVersion: '1.0',
    Sns: {
      ...{ Type: 'Notification', TopicArn: TOPIC, MessageId: 'message-1', Message, Subject: 'Holdfast alert' },
      ...{ Timestamp: new Date(clock.nowEpochMs()).toISOString(), ...change },
    },
  });
  return {
    acts,
    clock,
    refusals: () => refused,
    recordOf,
    take: (event: unknown) => onAlert(event, dependencies),
    message: (body: string, change: Record<string, unknown> = {}) =>
      onAlert({ Records: [recordOf(body, change)] }, dependencies),
  };
}

function tolerating(maxAlertSeverity: (typeof ALERT_SEVERITIES)[number], automaticRollbackOnAlert = true) {
  return logOf(ID, [
    'ADMITTED',
    { experiment: { ...seedExperiment(), safetyThreshold: { maxAlertSeverity, automaticRollbackOnAlert } } },
  ]);
}

describe('an alert', () => {
  it('above the tolerated severity releases the lease and is recorded', async () => {
    const { message, acts } = plane();
    expect(await message(messageOf([firing()]))).toMatchObject({ released: [ID], ignored: [], refused: [] });
    expect(acts).toEqual(['release ALARM', 'ABORT_REQUESTED']);
  });

  it('releases the lease when the terms cannot be read', async () => {
    expect(await plane({ entries: new Error('no answer') }).message(messageOf([firing()]))).toMatchObject({
      released: [ID],
    });
  });

  it('does nothing new when it is repeated or delivered twice', async () => {
    const { message, acts, take, recordOf } = plane();
    await message(messageOf([firing()]));
    const [first] = [acts.length];
    expect(await message(messageOf([firing()]))).toMatchObject({ released: [] });
    await take({ Records: [recordOf(messageOf([firing()])), recordOf(messageOf([firing()]))] });
    expect(acts).toHaveLength(first);
  });

  it.each<[what: string, body: string, options: Plane]>([
    ['of a tolerated severity', messageOf([firing({ severity: 'warning' })]), {}],
    ['when the experiment asked for no rollback', messageOf([firing()]), { entries: tolerating('NONE', false) }],
    ['of an unknown cluster', messageOf([firing({ cluster: 'orders' })]), {}],
    ['of a name that every object has', messageOf([firing({ cluster: 'constructor' })]), {}],
    ['without a cluster', messageOf([firing({ cluster: '' })]), {}],
    ['of a cluster that nobody holds', messageOf([firing({ cluster: 'other' })]), {}],
    ['that is resolved', messageOf([], { resolved: 2 }), {}],
    ['of an experiment that is over', messageOf([firing()]), { entries: fullRun({ CONCLUDED: {} }) }],
  ])('%s is ignored and said so', async (_what, body, options) => {
    const { message, acts, refusals } = plane(options);
    const { released, ignored, refused } = await message(body);
    expect([released, refused, acts, refusals()]).toEqual([[], [], [], 0]);
    expect(ignored).toHaveLength(1);
  });

  it('that the experiment expects does not end it: that it came goes into the log, once', async () => {
    const hypothesis = hypothesisOf(expectedAlert('HoldfastErrorRatePct'));
    const entries = runUntil('INJECTED', { ADMITTED: { experiment: { ...seedExperiment(), hypothesis } } });
    const { message, acts } = plane({ entries });
    expect(await message(messageOf([firing()]))).toMatchObject({ released: [], expected: [ID], refused: [] });
    await message(messageOf([firing()]));
    await Promise.all([message(messageOf([firing()])), message(messageOf([firing(), firing()]))]);
    expect(acts).toEqual(['ALARM_ARRIVED']);
    expect(await message(messageOf([firing({ alert: 'Another' })]))).toMatchObject({ released: [ID] });
  });

  it('that was expected ends it when it fired before the fault, and ends it before others are noted', async () => {
    const hypothesis = hypothesisOf(expectedAlert('HoldfastErrorRatePct'));
    const entries = runUntil('INJECTED', { ADMITTED: { experiment: { ...seedExperiment(), hypothesis } } });
    const { message, acts } = plane({ entries });
    await message(messageOf([firing(), firing({ startsAt: iso(1) })]));
    expect(acts).toEqual(['release ALARM', 'ABORT_REQUESTED', 'ALARM_ARRIVED']);
  });

  it('that is delivered twice at the same time is recorded once', async () => {
    const { message, acts } = plane();
    await Promise.all([message(messageOf([firing()])), message(messageOf([firing()]))]);
    expect(acts).toEqual(['release ALARM', 'ABORT_REQUESTED']);
  });

  it('of a message that is older than any fault is ignored', async () => {
    const { message, clock, acts } = plane();
    const at = (ageSeconds: number) => ({ Timestamp: new Date(clock.nowEpochMs() - ageSeconds * 1000).toISOString() });
    expect((await message(messageOf([firing()]), at(TTL_SECONDS.max + 1))).ignored).toHaveLength(1);
    expect(acts).toEqual([]);
    expect((await message(messageOf([firing()]), at(TTL_SECONDS.max))).released).toEqual([ID]);
  });

  it('ends the experiment although the one before it in the message is of nobody', async () => {
    const result = await plane().message(messageOf([firing({ cluster: 'orders' }), firing()]));
    expect(result).toMatchObject({ released: [ID], ignored: ['no cluster is called orders'] });
  });
});

describe('a message that is none of ours', () => {
  it.each<[what: string, event: (p: ReturnType<typeof plane>) => unknown, why: RegExp]>([
    [
      'of another topic',
      ({ recordOf }) => ({ Records: [recordOf(messageOf([firing()]), { TopicArn: `${TOPIC}2` })] }),
      /another topic/,
    ],
    [
      'of another service',
      ({ recordOf }) => ({ Records: [{ ...recordOf(messageOf([firing()])), EventSource: 'aws:sqs' }] }),
      /Records\.0\.EventSource/,
    ],
    ['without records', () => ({}), /Records: /],
    ['that is empty', () => null, /no notification of SNS/],
    [
      'without a time',
      ({ recordOf }) => ({ Records: [recordOf(messageOf([firing()]), { Timestamp: 'yesterday' })] }),
      /Timestamp/,
    ],
    [
      'that is too large',
      ({ recordOf }) => ({ Records: [recordOf(messageOf([firing()]).padEnd(100_000))] }),
      /has 100000 bytes/,
    ],
    ['that is no JSON', ({ recordOf }) => ({ Records: [recordOf('Alerts Firing:')] }), /is not JSON/],
  ])('%s is refused by name and counted, and ends nothing', async (_what, event, why) => {
    const each = plane();
    const { released, refused } = await each.take(event(each));
    expect([released, each.acts, each.refusals()]).toEqual([[], [], 1]);
    expect(refused.join()).toMatch(why);
  });

  it('keeps no other message from being heard', async () => {
    const each = plane();
    const records = [each.recordOf('no JSON'), each.recordOf(messageOf([firing()]))];
    expect(await each.take({ Records: records })).toMatchObject({ released: [ID], refused: [expect.any(String)] });
  });
});

describe('alerts in any order, number and form', () => {
  const alert = fc.record({
    cluster: fc.constantFrom('redis-master', 'other', 'orders', ''),
    severity: fc.constantFrom(...ALERT_SEVERITIES, 'warning', 'page'),
    alert: fc.string(),
    summary: fc.string({ maxLength: 200 }),
  });
  const body = fc.oneof(
    fc
      .tuple(fc.array(alert, { maxLength: 10 }), fc.nat())
      .map(([alerts, resolved]) => messageOf(alerts.map(firing), { resolved })),
    fc.string(),
  );
  const threshold = fc.constantFrom(...ALERT_SEVERITIES);

  it('release at most once, and exactly when one of them is above what the experiment tolerates', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(body, { maxLength: 6 }), threshold, async (bodies, tolerated) => {
        const each = plane({ entries: tolerating(tolerated) });
        for (const text of bodies) await each.message(text);
        const above = bodies.some((text) => ends(text, tolerated));
        expect(each.acts).toEqual(above ? ['release ALARM', 'ABORT_REQUESTED'] : []);
      }),
    );
  });

  /** Said anew, in the plainest way. */
  function ends(text: string, tolerated: string): boolean {
    if (!text.startsWith('{"holdfast":1')) return false;
    const rank = (severity: string) =>
      ['NONE', 'INFO', 'WARNING', 'CRITICAL'].indexOf(severity === 'page' ? 'CRITICAL' : severity.toUpperCase());
    const alerts = JSON.parse(text).firing as { cluster: string; severity: string }[];
    return alerts.some(({ cluster, severity }) => cluster === 'redis-master' && rank(severity) > rank(tolerated));
  }
});
