import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SCHEDULES_PATH } from '../../../cli/api-client.ts';
import { waitFor } from '../../../lab/shared/wait-for.ts';
import { SystemUnderTest } from '../harness.ts';

const DUE = '2099-01-05T02:00:00Z';
const ID = 'nightly-pause-20990105T020000Z';
/** Of one look at the log, by a function that gives up then. */
const ATTEMPTS = 3;

describe('a schedule that is due while the tables do not answer', () => {
  let system: SystemUnderTest;
  const looksAtLog = async () => {
    const { principals } = (await system.control('GET', '/usage')) as { principals: Record<string, number> };
    return Object.entries(principals).find(([name]) => name.includes('RunScheduleRole'))?.[1] ?? 0;
  };
  beforeAll(async () => {
    system = new SystemUnderTest();
    await system.waitUntilSteady();
  });
  afterAll(async () => {
    await system.control('POST', '/dynamodb/freeze', { frozen: false });
    await system.control('POST', '/scheduler/clock', { now: new Date().toISOString() });
    system.close();
  });

  it('starts nothing, is delivered again, and is started once they do', async () => {
    const before = await looksAtLog();
    await system.control('POST', '/dynamodb/freeze', { frozen: true });
    await system.control('POST', '/scheduler/clock', { now: DUE });
    await waitFor('the first delivery', 20, async () => ((await looksAtLog()) > before ? undefined : 'none'));
    // A minute later another schedule would be due.
    await system.control('POST', '/scheduler/clock', { now: new Date().toISOString() });
    // The next look is that of another delivery.
    await waitFor('another delivery', 120, async () =>
      (await looksAtLog()) - before > ATTEMPTS ? undefined : 'only the first',
    );
    const executions = (await system.control('GET', '/executions')) as { name: string }[];
    expect(executions.filter(({ name }) => name.startsWith('nightly-pause'))).toEqual([]);
    await system.control('POST', '/dynamodb/freeze', { frozen: false });
    await waitFor('its start', 60, async () => {
      const { body } = await system.api.call('GET', SCHEDULES_PATH);
      const { schedules } = body as { schedules: { schedule: string; lastRun: { result: string } | null }[] };
      const lastRun = schedules.find(({ schedule }) => schedule === 'nightly-pause')?.lastRun;
      return lastRun?.result === 'STARTED' ? undefined : JSON.stringify(lastRun);
    });
    const { status, timeline } = await system.waitUntilOver(ID);
    expect(status).toBe('COMPLETED');
    expect(timeline.filter(({ type }) => type === 'ADMITTED')).toHaveLength(1);
    expect(await system.control('GET', '/queues')).toEqual([]);
  });
});
