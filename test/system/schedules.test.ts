import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SCHEDULES_PATH } from '../../cli/api-client.ts';
import type { ExperimentDocument } from '../../cli/api-documents.ts';
import { waitFor } from '../../lab/shared/wait-for.ts';
import { SystemUnderTest } from './harness.ts';

/** When the lab's schedules come: at three in the morning in Berlin, which is two in UTC, and a minute later. */
const FIRST = '2099-01-05T02:00:00Z';
const OVERLAPPING = '2099-01-05T02:01:00Z';
const ID = 'nightly-pause-20990105T020000Z';

interface Listed {
  schedule: string;
  state: string;
  nextAt: string | null;
  lastRun: {
    scheduledAt: string;
    result: string;
    by: string;
    outcome?: string;
    problem?: { type: string; heldBy?: string };
  } | null;
}

describe('a schedule that is due', () => {
  let system: SystemUnderTest;
  let finished: ExperimentDocument;
  const listed = async (): Promise<Record<string, Listed>> => {
    const { body } = await system.api.call('GET', SCHEDULES_PATH);
    return Object.fromEntries((body as { schedules: Listed[] }).schedules.map((each) => [each.schedule, each]));
  };
  const setClock = (now: string) => system.control('POST', '/scheduler/clock', { now });
  const twice = (on: boolean) => system.control('POST', '/scheduler/twice', { twice: on });
  const lastRunOf = (name: string) =>
    waitFor(`a run of ${name}`, 60, async () => ((await listed())[name]?.lastRun ? undefined : 'none'));

  beforeAll(async () => {
    system = new SystemUnderTest();
    await system.waitUntilSteady();
    expect((await listed())['nightly-pause']).toMatchObject({
      state: 'ENABLED',
      nextAt: FIRST.replace('Z', '.000Z'),
      lastRun: null,
    });
    await twice(true);
    await setClock(FIRST);
    await lastRunOf('nightly-pause');
    await setClock(OVERLAPPING);
    await lastRunOf('overlapping-pause');
    finished = await system.waitUntilOver(ID);
  });
  afterAll(async () => {
    await twice(false);
    await setClock(new Date().toISOString());
    system.close();
  });

  it('runs its experiment to the verdict, and the log names the schedule', async () => {
    expect([finished.status, finished.outcome]).toEqual(['COMPLETED', 'CONFIRMED']);
    const admitted = finished.timeline.find(({ type }) => type === 'ADMITTED');
    expect(admitted?.actor).toMatchObject({ arn: 'schedule/nightly-pause' });
    expect((await listed())['nightly-pause']).toMatchObject({
      lastRun: { scheduledAt: FIRST, result: 'STARTED', by: 'schedule/nightly-pause', outcome: 'CONFIRMED' },
    });
  });

  it('was delivered twice and started once', async () => {
    const executions = (await system.control('GET', '/executions')) as { name: string }[];
    expect(executions.filter(({ name }) => name.startsWith('nightly-pause-')).map(({ name }) => name)).toEqual([ID]);
    expect(finished.timeline.filter(({ type }) => type === 'ADMITTED')).toHaveLength(1);
  });

  it('is refused while another experiment has the cluster: on record, told, and never made up for', async () => {
    expect((await listed())['overlapping-pause']?.lastRun).toMatchObject({
      ...{ scheduledAt: OVERLAPPING, result: 'REFUSED' },
      problem: { type: 'urn:holdfast:problem:cluster-locked', heldBy: ID },
    });
    const told = (await system.control('GET', '/messages')) as { message: string }[];
    const events = told.map(({ message }) => message).filter((message) => message.includes('overlapping-pause'));
    expect(events.some((message) => message.includes('cluster-locked'))).toBe(true);
    const executions = (await system.control('GET', '/executions')) as { name: string }[];
    expect(executions.filter(({ name }) => name.startsWith('overlapping-pause'))).toEqual([]);
    expect(await system.control('GET', '/queues')).toEqual([]);
  });

  it('starts nothing while it is paused, also when somebody runs it, and is refused by the change calendar', async () => {
    const post = (act: string) => system.api.call('POST', `${SCHEDULES_PATH}/nightly-pause/${act}`);
    expect((await post('pause')).body).toEqual({ schedule: 'nightly-pause', paused: true });
    expect(await post('run')).toMatchObject({ status: 409, body: { type: 'urn:holdfast:problem:schedule-paused' } });
    expect((await listed())['nightly-pause']).toMatchObject({
      state: 'PAUSED',
      nextAt: null,
      lastRun: { result: 'PAUSED' },
    });
    expect((await post('resume')).body).toEqual({ schedule: 'nightly-pause', paused: false });
    await system.control('POST', '/change-calendar', { open: false });
    try {
      expect(await post('run')).toMatchObject({ status: 422, body: { type: 'urn:holdfast:problem:outside-window' } });
      // The fault has 5 s, and may take longer than what is left beside them to be there.
      const closing = new Date(Date.now() + 40_000).toISOString();
      await system.control('POST', '/change-calendar', { open: true, changesAt: closing });
      expect(await post('run')).toMatchObject({
        status: 422,
        body: { detail: expect.stringContaining(`closes at ${closing.replace(/\.\d+Z/, 'Z')}`), durationSeconds: 5 },
      });
    } finally {
      await system.control('POST', '/change-calendar', { open: true });
    }
    expect(await system.api.call('POST', `${SCHEDULES_PATH}/other/run`)).toMatchObject({ status: 404 });
    expect(await system.api.call('POST', `${SCHEDULES_PATH}/nightly-pause/run?dryRun=true`)).toMatchObject({
      status: 400,
    });
  });
});
