import { describe, expect, it } from 'vitest';
import { exportAudit, REFUSALS_IN_PART } from '../../../functions/audit/export-audit.ts';
import type { AuditEntry } from '../../../functions/domain/audit-entry.ts';
import { inspectLog } from '../../../functions/domain/hash-chain.ts';
import { EPOCH_MS, logOf } from '../domain/fixtures.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';
import { memoryAudit } from './memory-audit.ts';

const DAY_MS = 86_400_000;
const DAY_SECONDS = DAY_MS / 1000;
const dayOf = (days: number) => new Date(EPOCH_MS + days * DAY_MS).toISOString().slice(0, 10);
const key = (days: number, name: string) => `holdfast/Holdfast/${dayOf(days)}/${name}.jsonl`;
const linesOf = (body: string | undefined): Record<string, unknown>[] =>
  (body ?? '')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

function world(...logs: (readonly AuditEntry[])[]) {
  const memory = memoryAudit(logs);
  const clock = new SimulatedClock();
  const objects = new Map<string, string>();
  const put = async (name: string, body: string) => void objects.set(name, body);
  const atOnce = { now: 0, most: 0 };
  const audit = {
    async readUnparsed(id: string) {
      atOnce.now += 1;
      atOnce.most = Math.max(atOnce.most, atOnce.now);
      const entries = await memory.audit.readUnparsed(id);
      atOnce.now -= 1;
      return entries;
    },
  };
  const run = () => exportAudit({ ...memory, audit, put, clock, stackName: 'Holdfast' });
  return { run, objects, clock, memory, atOnce };
}

describe('the daily export', () => {
  it('writes each log of yesterday whole, so that it can be verified from the object alone', async () => {
    const { run, objects, clock } = world(logOf('a', ['ADMITTED'], ['CONCLUDED']), logOf('REFUSAL#1', ['REFUSED']));
    await clock.sleep(DAY_MS);
    expect(await run()).toEqual({ days: [dayOf(0)], objects: 2 });
    expect([...objects.keys()]).toEqual([key(0, 'experiments/a'), key(0, 'refusals-1')]);
    const log = linesOf(objects.get(key(0, 'experiments/a')));
    expect(inspectLog('a', log)).toEqual({ isAdmitted: true, isConcluded: true });
    expect(linesOf(objects.get(key(0, 'refusals-1')))).toMatchObject([{ experimentId: 'REFUSAL#1', type: 'REFUSED' }]);
  });

  it('keeps kill switches and schedules out of the refusals, each with a whole log of its own', async () => {
    const { run, objects, clock } = world(
      logOf('KILL_SWITCH#GLOBAL', ['KILL_SWITCH_ENGAGING']),
      logOf('SCHEDULE#hourly', ['SCHEDULE_RUN'], ['SCHEDULE_RUN', {}, DAY_SECONDS]),
    );
    await clock.sleep(DAY_MS);
    await run();
    await clock.sleep(DAY_MS);
    await run();
    const names = ['other/KILL_SWITCH-GLOBAL', 'other/SCHEDULE-hourly'];
    expect([...objects.keys()]).toEqual([...names.map((name) => key(0, name)), key(1, 'other/SCHEDULE-hourly')]);
    expect(linesOf(objects.get(key(1, 'other/SCHEDULE-hourly')))).toHaveLength(2);
  });

  it('writes any number of refusals, in parts, and reads no more than some at a time', async () => {
    const refused = REFUSALS_IN_PART + 1;
    const logs = Array.from({ length: refused }, (_, each) => logOf(`REFUSAL#${each}`, ['REFUSED']));
    const { run, objects, clock, atOnce } = world(...logs);
    await clock.sleep(DAY_MS);
    await run();
    expect([...objects.keys()]).toEqual([key(0, 'refusals-1'), key(0, 'refusals-2')]);
    const lines = [...objects.values()].flatMap((body) => linesOf(body));
    expect(new Set(lines.map(({ experimentId }) => experimentId)).size).toBe(refused);
    expect(atOnce.most).toBeGreaterThan(1);
    expect(atOnce.most).toBeLessThanOrEqual(20);
  });

  it('writes the same again when it is repeated, and nothing of a day that is not over', async () => {
    const { run, objects, clock, memory } = world(
      logOf('a', ['ADMITTED'], ['CONCLUDED', {}, DAY_SECONDS]),
      logOf('b', ['ADMITTED', {}, DAY_SECONDS]),
    );
    await clock.sleep(DAY_MS);
    await run();
    const first = [...objects];
    expect(linesOf(objects.get(key(0, 'experiments/a'))).map(({ type }) => type)).toEqual(['ADMITTED']);
    await memory.cursors.write('exported', dayOf(-1));
    await run();
    expect([...objects]).toEqual(first);
    expect(await run()).toEqual({ days: [], objects: 0 });
  });

  it('makes up for days on which it did not run, and gives a log that goes on its place on each of them', async () => {
    const { run, objects, clock } = world(logOf('a', ['ADMITTED'], ['CONCLUDED', {}, DAY_SECONDS]));
    await clock.sleep(DAY_MS);
    await run();
    await clock.sleep(3 * DAY_MS);
    expect((await run()).days).toEqual([dayOf(1), dayOf(2), dayOf(3)]);
    expect([...objects.keys()]).toEqual([key(0, 'experiments/a'), key(1, 'experiments/a')]);
    expect(linesOf(objects.get(key(1, 'experiments/a'))).map(({ type }) => type)).toEqual(['ADMITTED', 'CONCLUDED']);
  });

  it('goes on with the day at which it failed', async () => {
    const { run, objects, clock, memory } = world(logOf('a', ['ADMITTED']));
    await clock.sleep(DAY_MS);
    const put = async () => {
      throw new Error('AccessDenied');
    };
    await expect(exportAudit({ ...memory, put, clock, stackName: 'Holdfast' })).rejects.toThrow('AccessDenied');
    expect((await run()).days).toEqual([dayOf(0)]);
    expect(objects.size).toBe(1);
  });
});
