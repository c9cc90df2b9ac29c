import { describe, expect, it } from 'vitest';
import { admit } from '../../../functions/admission/admit.ts';
import { standingHash } from '../../../functions/domain/approval.ts';
import type { Caller } from '../../../functions/domain/experiment.ts';
import type { Configuration } from '../../../functions/engines/configuration.ts';
import { configuration } from '../domain/configuration-fixtures.ts';
import { seedExperiment } from '../domain/experiment-fixtures.ts';
import { CALLER } from '../domain/fixtures.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';
import { portsOf } from './fixtures.ts';

const admitWith = (change: object, caller: Caller = CALLER) =>
  admit(
    seedExperiment(),
    { ...configuration(), ...change } as Configuration,
    portsOf(),
    new SimulatedClock(),
    'Holdfast-Test-',
    caller,
  );
const withApproval = (expiresMinutes = 60) => ({ clusters: configuration({ approval: { expiresMinutes } }).clusters });
const as = (arn: string) => ({ ...CALLER, arn });
const HASH = standingHash(seedExperiment());
const schedules = (until: string, hash = HASH) => ({
  schedules: { nightly: { standingApproval: { by: CALLER.arn, until, hash } }, weekly: {} },
});

describe('admission', () => {
  it('refuses a principal without the right, by name, before it looks at anything', async () => {
    const principals = [{ principal: CALLER.arn, faults: ['CPU_SPIKE'] }];
    expect(await admitWith({ principals })).toMatchObject({
      admitted: false,
      problem: {
        type: 'urn:holdfast:problem:not-permitted',
        ...{ status: 403, principal: CALLER.arn, cluster: 'redis-master' },
        errors: [{ field: 'action', allowed: 'CPU_SPIKE' }],
      },
    });
    expect(await admitWith({ principals: [{ principal: CALLER.arn }] })).toMatchObject({ admitted: true });
  });

  it('asks for an approval where the cluster does, and says from whom not', async () => {
    expect(await admitWith(withApproval())).toMatchObject({
      admitted: true,
      facts: { approval: { clusters: ['redis-master'], expiresMinutes: 60, mayNotApprove: CALLER.arn } },
    });
    expect(await admitWith({})).not.toHaveProperty('facts.approval');
  });

  it('says how long ahead its start is announced, where it is', async () => {
    const announcing = (tier: Record<string, unknown>) => ({
      ...configuration(tier, {}, {}, { notifications: { announce: { leadSeconds: 300 } } }),
    });
    expect(await admitWith(announcing({}))).toMatchObject({ admitted: true, facts: { leadSeconds: 300 } });
    expect(await admitWith(announcing({ tier: 'staging' }))).not.toHaveProperty('facts.leadSeconds');
    expect(await admitWith({})).not.toHaveProperty('facts.leadSeconds');
  });

  it('gives the same hash to the author and to whoever looks at it later', async () => {
    const hashes = await Promise.all(
      [CALLER, as('arn:aws:iam::111122223333:user/ben')].map(async (caller) => {
        const admission = await admitWith(withApproval(), caller);
        return admission.admitted && admission.facts.approval?.hash;
      }),
    );
    expect(hashes[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(hashes[1]).toBe(hashes[0]);
  });

  it('refuses whoever cannot be told from the person that approves', async () => {
    const federated = as('arn:aws:sts::111122223333:federated-user/ana');
    expect(await admitWith(withApproval(), federated)).toMatchObject({
      admitted: false,
      problem: { type: 'urn:holdfast:problem:not-permitted' },
    });
    expect(await admitWith({}, federated)).toMatchObject({ admitted: true });
  });

  it('lets a schedule start by a standing approval, and refuses it when that has ended or is not there', async () => {
    const holding = { ...withApproval(), ...schedules('2999-01-01') };
    const admission = await admitWith(holding, as('schedule/nightly'));
    expect(admission).toMatchObject({
      ...{ admitted: true, facts: { standingApproval: { by: CALLER.arn, until: '2999-01-01', hash: HASH } } },
    });
    expect(admission).not.toHaveProperty('facts.approval');
    const another = 'b'.repeat(64);
    for (const [change, name, field, allowed] of [
      [{ ...withApproval(), ...schedules('2020-01-01') }, 'nightly', '.until', expect.any(String)],
      [{ ...withApproval(), ...schedules('2999-01-01', another) }, 'nightly', '.hash', HASH],
      [holding, 'weekly', '', expect.stringContaining(HASH)],
      [holding, 'unknown', '', expect.stringContaining(HASH)],
    ] as const)
      expect(await admitWith(change, as(`schedule/${name}`))).toMatchObject({
        admitted: false,
        problem: {
          ...{ type: 'urn:holdfast:problem:approval-missing', cluster: 'redis-master' },
          errors: [{ field: `schedules.${name}.standingApproval${field}`, allowed }],
        },
      });
    const unneeded = await admitWith(schedules('2020-01-01'), as('schedule/nightly'));
    expect(unneeded).toMatchObject({ admitted: true });
    expect(unneeded).not.toHaveProperty('facts.standingApproval');
  });

  it('holds a standing approval to one experiment, whenever its schedule comes', () => {
    const at = (id: string) => standingHash(seedExperiment(id));
    expect(at('nightly-20260602T080000Z')).toBe(at('nightly-20260603T080000Z'));
    expect(standingHash({ ...seedExperiment(), durationSeconds: 61 })).not.toBe(HASH);
  });
});
