import { FisClient, GetExperimentCommand } from '@aws-sdk/client-fis';
import { mockClient } from 'aws-sdk-client-mock';
import { describe, expect, it } from 'vitest';
import { ownerOf } from '../../../functions/aws/fis/owner.ts';
import { type OnFisEndDependencies, onFisEnd } from '../../../functions/rollback/on-fis-end.ts';
import type { Lease } from '../../../functions/tables/leases.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';
import { leaseOf, memoryLeases } from '../tables/lease-fixture.ts';
import { memoryAuditLog } from '../tables/memory-audit-log.ts';

interface Plane {
  lease?: Lease | undefined;
  owner?: OnFisEndDependencies['ownerOf'];
  append?: () => Promise<never>;
  acts?: string[];
}

async function fisEnd(status: string, { owner, append, acts = [], ...plane }: Plane = {}) {
  const log = memoryAuditLog({ onAppend: ({ type, details }) => acts.push(`${type} ${JSON.stringify(details)}`) });
  const result = await onFisEnd(
    { detail: { 'experiment-id': 'EXP1', 'new-state': { status, reason: 'stopped by user' } } },
    {
      ownerOf: owner ?? (async () => ({ experimentId: 'exp', faultId: 'exp.1' })),
      audit: { appendOnce: append ?? log.appendOnce },
      leases: memoryLeases('lease' in plane ? plane.lease : leaseOf(), (reason, detail) =>
        acts.push(`release ${reason} ${detail}`),
      ),
      clock: new SimulatedClock(),
    },
  );
  return { acts, result };
}

describe('a fault in FIS', () => {
  it.each(['stopping', 'stopped', 'failed'])(
    'that is %s before its time releases the lease of its experiment, and the log says which it was',
    async (status) => {
      const why = `exp.1: FIS experiment EXP1 is ${status}: stopped by user`;
      const record = JSON.stringify({ reason: 'EFFECT_LOST', detail: why });
      expect(await fisEnd(status)).toEqual({
        result: 'released',
        acts: [`release EFFECT_LOST ${why}`, `ABORT_REQUESTED ${record}`],
      });
    },
  );

  it.each(['fails', 'hangs'])('releases the lease although the log %s, and is delivered again', async (how) => {
    const append = () => (how === 'fails' ? Promise.reject(new Error('down')) : new Promise<never>(() => {}));
    const acts: string[] = [];
    await expect(fisEnd('stopped', { append, acts })).rejects.toThrow(how === 'fails' ? 'down' : 'no answer');
    expect(acts).toHaveLength(1);
  });

  it('is in the log once its release could not be recorded and it comes again', async () => {
    const why = 'exp.1: FIS experiment EXP1 is stopped: stopped by user';
    const lease = leaseOf({ state: 'RELEASED', releaseReason: 'EFFECT_LOST', releaseDetail: why });
    const { acts, result } = await fisEnd('stopped', { lease });
    expect([result, acts.length, acts[0]]).toEqual(['released', 1, expect.stringMatching(/^ABORT_REQUESTED/)]);
  });

  it.each<[string, string, Plane, string]>([
    ['our own rollback stops', 'stopping', { lease: leaseOf({ state: 'RELEASED' }) }, 'released before'],
    ['never had a lease', 'stopped', { lease: undefined }, 'released before'],
    ["is somebody else's", 'stopped', { owner: async () => undefined }, 'not ours'],
    ['is complete, as a reboot is at once', 'completed', {}, 'no early end'],
    ['begins', 'running', {}, 'no early end'],
  ])('that %s changes nothing', async (_what, status, plane, result) => {
    expect(await fisEnd(status, plane)).toEqual({ result, acts: [] });
  });

  it('is delivered again when nobody can tell whose it is', async () => {
    await expect(fisEnd('stopped', { owner: () => Promise.reject(new Error('throttled')) })).rejects.toThrow(
      'throttled',
    );
  });
});

describe('the owner of a FIS experiment', () => {
  const tags = { 'holdfast-stack': 'Holdfast', 'holdfast-experiment': 'exp', 'holdfast-fault': 'exp.1' };
  const denied = Object.assign(new Error('no'), { name: 'AccessDeniedException' });
  const asked = (answer: object | Error) => {
    const fis = mockClient(FisClient);
    const get = fis.on(GetExperimentCommand);
    if (answer instanceof Error) get.rejects(answer);
    else get.resolves({ experiment: answer });
    return ownerOf(new FisClient({ region: 'eu-west-1' }), 'Holdfast', 'EXP1').finally(() => fis.restore());
  };

  it('is the experiment in its tags, if it is of this stack', async () => {
    expect(await asked({ tags })).toEqual({ experimentId: 'exp', faultId: 'exp.1' });
    expect(await asked({ tags: { ...tags, 'holdfast-stack': 'Other' } })).toBeUndefined();
    expect(await asked({})).toBeUndefined();
    expect(await asked(denied)).toBeUndefined();
    await expect(asked(Object.assign(new Error('slow down'), { name: 'ThrottlingException' }))).rejects.toThrow(
      'slow down',
    );
  });
});
