import { describe, expect, it } from 'vitest';
import { reasonOfBody, reasonOfQuery } from '../../../functions/api/kill-switch-request.ts';
import { type ReArmDependencies, reArmKillSwitch } from '../../../functions/api/re-arm-kill-switch.ts';
import { CALLER } from '../domain/fixtures.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';
import { memoryAuditLog } from '../tables/memory-audit-log.ts';

const fail = async () => {
  throw new Error('no answer');
};

function world(changes: Partial<ReArmDependencies> = {}) {
  const acts: string[] = [];
  const dependencies: ReArmDependencies = {
    switches: {
      reArm: async (cluster, { by, reason }) => {
        acts.push(`re-arm ${cluster ?? 'all'}: ${by}: ${reason}`);
        return true;
      },
    },
    locks: { list: async () => [] },
    audit: memoryAuditLog({ onAppend: ({ type }) => acts.push(type) }),
    lever: {
      disengage: async () => {
        acts.push('lever');
        return true;
      },
    },
    clock: new SimulatedClock(),
    ...changes,
  };
  const reArm = (cluster?: string, caller = CALLER) =>
    reArmKillSwitch({ cluster, reason: 'all is well', caller }, dependencies);
  return { acts, reArm };
}
const held = (cluster: string) => ({ list: async () => [{ cluster, experimentId: 'exp', endsAt: '' }] });

describe('re-arming the kill switch', () => {
  it('records who and why before it acts, and then gives FIS free', async () => {
    const { acts, reArm } = world();
    expect(await reArm()).toMatchObject({ status: 200, body: { engaged: false, safetyLever: 'disengaged' } });
    expect(acts).toEqual(['KILL_SWITCH_RE_ARMING', `re-arm all: ${CALLER.arn}: all is well`, 'lever']);
  });

  it('is refused while any experiment is not over, and changes nothing', async () => {
    const { acts, reArm } = world({ locks: held('kafka-orders') });
    expect(await reArm()).toMatchObject({
      status: 409,
      body: { type: 'urn:holdfast:problem:kill-switch-in-use', heldBy: ['exp'] },
    });
    expect(acts).toEqual([]);
  });

  it('of a cluster asks for the experiments on that cluster alone, and leaves FIS alone', async () => {
    const { acts, reArm } = world({ locks: held('kafka-orders') });
    expect(await reArm('kafka-orders')).toMatchObject({ status: 409 });
    expect(await reArm('redis-master')).toMatchObject({ status: 200, body: { cluster: 'redis-master' } });
    expect(acts).toEqual(['KILL_SWITCH_RE_ARMING', `re-arm redis-master: ${CALLER.arn}: all is well`]);
  });

  it.each([
    ['the locks cannot be read', { locks: { list: fail } }],
    ['it cannot be recorded', { audit: { append: fail } }],
    ['the row cannot be written', { switches: { reArm: fail } }],
  ])('says that it is not known when %s', async (_what, changes) => {
    const { acts, reArm } = world(changes);
    expect(await reArm()).toMatchObject({ status: 503, body: { type: 'urn:holdfast:problem:control-plane-unknown' } });
    expect(acts.some((act) => act.startsWith('re-arm') || act === 'lever')).toBe(false);
  });

  it('is for those alone whom the configuration names for it, whatever the policy of the API let through', async () => {
    const lead = ['arn:aws:iam::111122223333:role/team/Lead'];
    const { acts, reArm } = world({ principals: lead });
    const refused = { status: 403, body: { type: 'urn:holdfast:problem:not-permitted' } };
    expect(await reArm()).toMatchObject(refused);
    expect(await reArm('redis-master')).toMatchObject(refused);
    expect(acts).toEqual([]);
    const session = 'arn:aws:sts::111122223333:assumed-role/Lead/ana';
    expect(await reArm(undefined, { ...CALLER, arn: session })).toMatchObject({ status: 200 });
  });

  it('says so when FIS stays closed', async () => {
    const { reArm } = world({ lever: { disengage: fail } });
    expect(await reArm()).toMatchObject({
      status: 200,
      body: { safetyLever: expect.stringMatching(/^not disengaged/) },
    });
  });
});

describe('the reason for turning a kill switch', () => {
  it('is one line that says something', () => {
    expect(reasonOfBody('{"reason":"a bad release"}')).toEqual({ ok: true, value: 'a bad release' });
    expect(reasonOfQuery('all is well')).toEqual({ ok: true, value: 'all is well' });
  });

  it.each([
    ['{}', 'reason'],
    ['{"reason":""}', 'reason'],
    ['{"reason":"   "}', 'reason'],
    ['{"reason":"two\\nlines"}', 'reason'],
    [`{"reason":"${'x'.repeat(501)}"}`, 'reason'],
    ['{"reason":5}', 'reason'],
    ['{"reason":"x","state":"HOLD"}', 'state'],
    ['{"reason":"x","cluster":"redis-master"}', 'cluster'],
    ['[]', '(body)'],
    ['', '(body)'],
    ['{"reason":"x","reason":"y"}', 'reason'],
  ])('in a body %s is refused by the name of the field', (body, field) => {
    const parsed = reasonOfBody(body);
    if (parsed.ok) throw new Error('taken');
    expect(parsed.answer).toMatchObject({ status: 400, body: { errors: [{ field }] } });
  });

  it('in a query is refused when it is missing or says nothing', () => {
    for (const said of [undefined, '', '  ']) {
      const parsed = reasonOfQuery(said);
      expect(parsed.ok ? parsed : parsed.answer).toMatchObject({
        status: 400,
        body: { errors: [{ field: 'reason' }] },
      });
    }
  });

  it('in a body that is too large is not read', () => {
    const parsed = reasonOfBody(`{"reason":"${'x'.repeat(70_000)}"}`);
    expect(parsed.ok ? parsed : parsed.answer).toMatchObject({ status: 413 });
  });
});
