import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../../lab/shared/wait-for.ts';
import { EXPERIMENTS_PATH, partition, SystemUnderTest } from './harness.ts';

const NODES = ['redis-tls-1', 'redis-tls-2', 'redis-tls-3'];

interface Message {
  topicArn: string;
  subject?: string;
  message: string;
}

describe('people are told, on a cluster whose starts are announced', () => {
  let system: SystemUnderTest;
  let payload: (id: string) => Parameters<SystemUnderTest['postApproved']>[0];
  beforeAll(async () => {
    system = new SystemUnderTest();
    const replica = await system.replicaOf(NODES);
    payload = (id) => ({ ...partition(id, replica, NODES, 3), targetService: 'redis-tls' });
  });
  afterEach(() => system.control('POST', '/sns', { refuses: false, subscribed: true }));
  afterAll(() => system.close());

  const ASKS = ' waits for approval ';
  const messagesOf = async (id: string): Promise<Message[]> =>
    ((await system.control('GET', '/messages')) as Message[]).filter(({ subject }) => subject?.includes(` ${id}: `));
  const allOf = async (id: string): Promise<string[]> => (await messagesOf(id)).map(({ subject = '' }) => subject);
  /** But the one that asks for the approval: it may come after the approval. */
  const subjectsOf = async (id: string): Promise<string[]> =>
    (await allOf(id)).filter((subject) => !subject.includes(ASKS));
  /** The last is told after the run is over: EventBridge delivers when it can. */
  const told = (id: string, last: string, times = 1) =>
    waitFor(`${last} of ${id}`, 10, async () => {
      const subjects = await allOf(id);
      return subjects.filter((subject) => subject.includes(last)).length >= times ? undefined : subjects.join('; ');
    });

  it('announced ahead, started when it was announced for, ended with the verdict', async () => {
    const id = 'told_run';
    const answer = await system.postApproved(payload(id));
    expect(answer).toMatchObject({ status: 202, body: { status: 'ACCEPTED', startsAt: expect.any(String) } });
    expect(await subjectsOf(id)).toEqual([expect.stringMatching(/^INFO Holdfast: announced told_run: starts at /)]);
    const { status, timeline } = await system.waitUntilOver(id);
    expect(status, JSON.stringify(timeline)).toBe('COMPLETED');
    await told(id, ASKS);
    await told(id, 'ended');
    const subjects = await subjectsOf(id);
    expect(subjects.map((subject) => subject.split(' ')[2])).toEqual(['announced', 'started', 'ended']);
    expect(subjects[2]).toMatch(/: COMPLETED, (CONFIRMED|DEVIATED|INCONCLUSIVE): /);
    const { startsAt } = answer.body as { startsAt: string };
    const steadyAt = timeline.find(({ type }) => type === 'STEADY_STATE_CONFIRMED')?.at ?? '';
    expect(Date.parse(steadyAt)).toBeGreaterThanOrEqual(Date.parse(startsAt));
  });

  it('aborted while its start is waited for, without any fault', async () => {
    const id = 'told_abort';
    expect((await system.postApproved(payload(id))).status).toBe(202);
    const abort = await system.api.call('POST', `${EXPERIMENTS_PATH}/${id}/abort`);
    expect(abort.status).toBe(202);
    const { status, timeline } = await system.waitUntilOver(id, 20);
    expect(status).toBe('ABORTED');
    expect(timeline.map(({ type }) => type)).not.toContain('INJECTING');
    // Whoever heard the announcement hears the end as well.
    await told(id, ' ended ', 2);
    const subjects = await subjectsOf(id);
    expect(subjects.map((subject) => subject.split(' ')[2])).toEqual(['announced', 'aborted', 'ended', 'ended']);
    const topicsOf = async (what: string) =>
      (await messagesOf(id)).flatMap(({ subject, topicArn }) => (subject?.includes(` ${what} `) ? [topicArn] : []));
    expect(await topicsOf('ended')).toEqual(expect.arrayContaining(await topicsOf('announced')));
    expect(new Set(await topicsOf('ended')).size).toBe(2);
    expect(subjects[1]).toMatch(/^WARNING .*: ABORT: requested by /);
  });

  it.each([
    ['SNS refuses', { refuses: true }],
    ['nobody is subscribed', { subscribed: false }],
  ])('or nothing starts: %s', async (_what, state) => {
    await system.control('POST', '/sns', state);
    const answer = await system.postApproved(payload('told_nobody'));
    expect(answer).toMatchObject({
      status: 503,
      body: { type: 'urn:holdfast:problem:announcement-not-delivered' },
    });
    const left = await system.api.call('GET', `${EXPERIMENTS_PATH}/told_nobody`);
    // It may be approved again, once somebody can be told.
    expect(left.body).toMatchObject({ status: 'PENDING_APPROVAL' });
  });
});
