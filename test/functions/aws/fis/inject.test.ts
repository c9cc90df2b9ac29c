import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import {
  CreateExperimentTemplateCommand,
  DeleteExperimentTemplateCommand,
  FisClient,
  GetExperimentCommand,
  ListExperimentsCommand,
  ListExperimentTemplatesCommand,
  ServiceQuotaExceededException,
  StartExperimentCommand,
  StopExperimentCommand,
} from '@aws-sdk/client-fis';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { fisInjection } from '../../../../functions/aws/fis/inject.ts';
import { FIS_RUNNING_DEADLINE_MS } from '../../../../functions/domain/timing.ts';
import type { Lease } from '../../../../functions/tables/leases.ts';
import { SimulatedClock } from '../../domain/simulated-clock.ts';
import { leaseOf } from '../../tables/lease-fixture.ts';
import { instanceStop, place, stateOf, TAGS } from './fixtures.ts';

/** A run is polled for; one look may still come after the time is over. */
const POLLS_MS = 2000;
const fis = mockClient(FisClient);
const cloudWatch = mockClient(CloudWatchClient);
afterAll(() => {
  fis.restore();
  cloudWatch.restore();
});
const HEARTBEAT_ALARM = 'Holdfast-X-guard-heartbeat-redis-master';
const state = (status: string, reason?: string) => ({ experiment: { id: 'EXP1', state: stateOf(status, reason) } });
const alarm = (value: 'OK' | 'ALARM') => ({ MetricAlarms: [{ AlarmName: HEARTBEAT_ALARM, StateValue: value }] });
const quota = new ServiceQuotaExceededException({ message: 'limit 5', $metadata: {} });

/** @param leases one for each read; the last one stays. */
function injection(leases: (Partial<Lease> | Error)[] = [{ state: 'HOLD' }]) {
  const clock = new SimulatedClock();
  const dependencies = {
    fis: new FisClient({ region: 'eu-west-1' }),
    cloudWatch: new CloudWatchClient({ region: 'eu-west-1' }),
    leases: {
      async read() {
        const next = leases.length > 1 ? leases.shift() : leases[0];
        if (next instanceof Error) throw next;
        return leaseOf(next);
      },
    },
    clock,
    place,
    alarmsOf: () => ['checkout'],
  };
  return { clock, inject: () => fisInjection(dependencies).inject('exp', instanceStop) };
}

const deleted = () => fis.commandCalls(DeleteExperimentTemplateCommand).map((call) => call.args[0].input.id);

beforeEach(() => {
  fis.reset();
  cloudWatch.reset();
  cloudWatch.on(DescribeAlarmsCommand).resolves(alarm('OK'));
  fis.on(CreateExperimentTemplateCommand).resolves({ experimentTemplate: { id: 'EXT1' } });
  fis.on(StartExperimentCommand).resolves(state('pending'));
  fis.on(StopExperimentCommand).resolves({});
  fis.on(DeleteExperimentTemplateCommand).resolves({});
  fis.on(GetExperimentCommand).resolves(state('running'));
});

describe('injection through FIS', () => {
  it('starts one tagged experiment from a template of its own, and returns when it runs', async () => {
    fis
      .on(GetExperimentCommand)
      .resolvesOnce(state('pending'))
      .resolvesOnce(state('initiating'))
      .resolves(state('running'));
    expect(await injection().inject()).toEqual({ fisExperimentId: 'EXP1' });
    expect(fis.commandCalls(StartExperimentCommand).map((call) => call.args[0].input)).toEqual([
      { clientToken: 'X.exp.1', experimentTemplateId: 'EXT1', tags: TAGS },
    ]);
    expect(fis.commandCalls(CreateExperimentTemplateCommand)[0]?.args[0].input.tags).toEqual(TAGS);
    expect(fis.commandCalls(StopExperimentCommand)).toEqual([]);
  });

  it('takes an action without duration that is already completed for injected', async () => {
    fis.on(GetExperimentCommand).resolves(state('completed'));
    expect(await injection().inject()).toEqual({ fisExperimentId: 'EXP1' });
  });

  it.each(['failed', 'stopped', 'cancelled'])('ends with the reason when FIS ends as %s', async (status) => {
    fis.on(GetExperimentCommand).resolves(state(status, 'the lever is engaged'));
    await expect(injection().inject()).rejects.toThrow(
      expect.objectContaining({
        name: 'InjectionFailed',
        message: expect.stringContaining(`${status}, the lever is engaged`),
      }),
    );
  });

  it('does not wait for ever for an experiment that stays in an unknown state', async () => {
    fis.on(GetExperimentCommand).resolves(state('dreaming'));
    const { inject, clock } = injection();
    await expect(inject()).rejects.toThrow(/does not run: dreaming/);
    expect(clock.monotonicMs()).toBeGreaterThanOrEqual(FIS_RUNNING_DEADLINE_MS);
    expect(clock.monotonicMs()).toBeLessThan(FIS_RUNNING_DEADLINE_MS + POLLS_MS);
  });

  it('goes on looking when FIS does not answer once', async () => {
    fis.on(GetExperimentCommand).rejectsOnce(new Error('throttled')).resolves(state('running'));
    expect(await injection().inject()).toEqual({ fisExperimentId: 'EXP1' });
  });

  it('starts nothing before the alarm over the guard is OK, and nothing at all when it never is', async () => {
    cloudWatch
      .on(DescribeAlarmsCommand)
      .resolvesOnce(alarm('ALARM'))
      .rejectsOnce(new Error('away'))
      .resolves(alarm('OK'));
    const patient = injection();
    await patient.inject();
    expect(patient.clock.monotonicMs()).toBe(2000);
    expect(cloudWatch.commandCalls(DescribeAlarmsCommand)[0]?.args[0].input.AlarmNames).toEqual([HEARTBEAT_ALARM]);

    fis.resetHistory();
    for (const answer of [alarm('ALARM'), { MetricAlarms: [] }]) {
      cloudWatch.on(DescribeAlarmsCommand).resolves(answer);
      await expect(injection().inject()).rejects.toThrow(/FIS would run unwatched/);
    }
    expect(fis.commandCalls(StartExperimentCommand)).toEqual([]);
    expect(deleted()).toEqual(['EXT1', 'EXT1']);
  });

  it('starts nothing when the lease went before, and leaves no template to a rollback that may be over', async () => {
    const leases = [{ state: 'RELEASED' as const, releaseReason: 'ABORT' as const }, new Error('no table')];
    for (const lease of leases) {
      await expect(injection([lease]).inject()).rejects.toThrow(/ABORT|no table/);
    }
    expect(fis.commandCalls(StartExperimentCommand)).toEqual([]);
    expect(deleted()).toEqual(['EXT1', 'EXT1']);
  });

  it('says so when the template could not be deleted, and keeps the reason', async () => {
    fis.on(DeleteExperimentTemplateCommand).rejects(new Error('denied'));
    await expect(injection([{ state: 'RELEASED' }]).inject()).rejects.toThrow(
      expect.objectContaining({
        name: 'LeaseReleased',
        message: expect.stringContaining('EXT1 could not be deleted: Error: denied'),
      }),
    );
  });

  describe('when an answer of FIS is lost', () => {
    const other = { ...TAGS, 'holdfast-stack': 'Y' };
    beforeEach(() => {
      fis.on(ListExperimentTemplatesCommand).resolves({
        experimentTemplates: [
          { id: 'LOST', tags: TAGS },
          { id: 'THEIRS', tags: other },
        ],
      });
      fis.on(ListExperimentsCommand).resolves({
        experiments: [
          { id: 'LATE', tags: TAGS, state: { status: 'initiating' } },
          { id: 'OVER', tags: TAGS, state: { status: 'completed' } },
          { id: 'THEIRS', tags: other, state: { status: 'running' } },
        ],
      });
    });
    const stopped = () => fis.commandCalls(StopExperimentCommand).map((call) => call.args[0].input.id);

    it('stops what its start has begun, and nothing of another stack, where the rollback may be over', async () => {
      fis.on(StartExperimentCommand).rejects(new Error('timeout'));
      await expect(injection([{ state: 'HOLD' }, { state: 'RELEASED' }]).inject()).rejects.toThrow('timeout');
      expect(stopped()).toEqual(['LATE']);
      expect(deleted()).toEqual(['EXT1', 'LOST']);
    });

    it('deletes the template that it may have made', async () => {
      fis.on(CreateExperimentTemplateCommand).rejects(new Error('timeout'));
      await expect(injection([new Error('no table')]).inject()).rejects.toThrow('timeout');
      expect(deleted()).toEqual(['LOST']);
      expect(fis.commandCalls(StartExperimentCommand)).toEqual([]);
    });

    it('leaves it to the rollback while the lease is held', async () => {
      fis.on(StartExperimentCommand).rejects(new Error('timeout'));
      await expect(injection().inject()).rejects.toThrow('timeout');
      expect(stopped()).toEqual([]);
      expect(deleted()).toEqual(['EXT1']);
    });

    it('says so when that could not be ended', async () => {
      fis.on(StartExperimentCommand).rejects(new Error('timeout'));
      fis.on(StopExperimentCommand).rejects(new Error('FIS is away'));
      await expect(injection([{ state: 'HOLD' }, { state: 'RELEASED' }]).inject()).rejects.toThrow(
        /timeout; what it may have begun could not be ended: Error: FIS is away/,
      );
    });
  });

  it.each<[string, Partial<Lease> | Error]>([
    ['is gone', { state: 'RELEASED', releaseReason: 'GUARDRAIL' }],
    ['cannot be read', new Error('no table')],
  ])('stops the experiment it has just started when the lease %s', async (_what, lease) => {
    fis.on(GetExperimentCommand).resolves(state('running'));
    await expect(injection([{ state: 'HOLD' }, lease]).inject()).rejects.toThrow(
      expect.objectContaining({
        name: 'LeaseReleased',
        message: expect.stringContaining('EXP1 was told to stop'),
      }),
    );
    expect(fis.commandCalls(StopExperimentCommand)[0]?.args[0].input).toEqual({ id: 'EXP1' });
    expect(fis.commandCalls(DeleteExperimentTemplateCommand)[0]?.args[0].input).toEqual({ id: 'EXT1' });
  });

  it('says so when that stop did not succeed', async () => {
    fis.on(StopExperimentCommand).rejects(new Error('FIS is away'));
    await expect(injection([{ state: 'HOLD' }, { state: 'RELEASED' }]).inject()).rejects.toThrow(
      /was told to stop, but: Error: FIS is away/,
    );
  });

  it.each([
    ['the active experiments', StartExperimentCommand, /5 active experiments of this account and Region/],
    ['the templates', CreateExperimentTemplateCommand, /experiment templates of this account and Region/],
  ] as const)('names the quota when %s are used up', async (_what, command, text) => {
    // Either command: the mock's types take one at a time.
    fis.on(command as typeof StartExperimentCommand).rejects(quota);
    await expect(injection().inject()).rejects.toThrow(text);
  });
});
