import { describe, expect, it } from 'vitest';
import { ENDED_AFTER_MS, verifyAudit } from '../../../functions/audit/verify-audit.ts';
import type { AuditEntry } from '../../../functions/domain/audit-entry.ts';
import { iso, logOf } from '../domain/fixtures.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';
import { memoryAudit } from './memory-audit.ts';

const DAY_MS = 86_400_000;
const whole = (id: string, second: number) =>
  logOf(id, ['ADMITTED', {}, second], ['INJECTING'], ['CONCLUDED', {}, second + 5]);
const forged = (log: readonly AuditEntry[]) =>
  log.map((entry) => (entry.type === 'INJECTING' ? { ...entry, at: iso(9999) } : entry));

async function verify(...logs: (readonly AuditEntry[])[]) {
  const memory = memoryAudit(logs);
  const clock = new SimulatedClock();
  const told: number[] = [];
  const tell = async (broken: number) => void told.push(broken);
  const run = () => verifyAudit({ ...memory, tell, clock });
  await clock.sleep(DAY_MS);
  return { first: await run(), run, told, memory, clock };
}

describe('the daily verification', () => {
  it('finds every log that ended unbroken, says so, and looks at none of them again', async () => {
    const { first, run, told } = await verify(whole('a', 1), whole('b', 20), whole('c', 30));
    expect(first).toMatchObject({ verified: 3, broken: [] });
    expect(await run()).toMatchObject({ verified: 0, broken: [] });
    expect(told).toEqual([0, 0]);
  });

  it('finds a changed entry and says of which experiment, and goes on with the others', async () => {
    const { first, told } = await verify(whole('a', 1), forged(whole('b', 20)), whole('c', 30));
    expect(first.broken).toEqual([{ experimentId: 'b', problem: 'broken at entry 2 of 3' }]);
    expect([first.verified, told]).toEqual([3, [1]]);
  });

  it('finds a changed entry of a kill switch, a schedule or a refusal, each time that something is written there', async () => {
    const switches = ['KILL_SWITCH_ENGAGING', 'KILL_SWITCH_RE_ARMING'] as const;
    const logs = [
      logOf('KILL_SWITCH#GLOBAL', [switches[0], {}, 1], [switches[1], {}, 2]),
      logOf('SCHEDULE#weekly', ['SCHEDULE_RUN', {}, 3]),
      logOf('REFUSAL#1', ['REFUSED', {}, 4]),
    ];
    expect((await verify(...logs)).first).toMatchObject({ verified: 3, broken: [] });
    for (const [position, log] of logs.entries()) {
      const changed = log.map((entry, index) => (index === 0 ? { ...entry, actor: { function: 'nobody' } } : entry));
      const { first } = await verify(...logs.with(position, changed as typeof log));
      expect(first.broken).toMatchObject([
        { experimentId: log[0]?.experimentId, problem: expect.stringContaining('broken at entry 1') },
      ]);
    }
  });

  it('finds a log that was cut off at its end, which is a whole chain', async () => {
    const { first } = await verify(whole('a', 1), whole('b', 20).slice(0, 2));
    expect(first.broken).toEqual([{ experimentId: 'b', problem: expect.stringContaining('without a verdict') }]);
  });

  it('does not take a run that goes on for one that was cut off, until it should long have ended', async () => {
    const memory = memoryAudit([logOf('b', ['ADMITTED', {}, 0])]);
    const clock = new SimulatedClock();
    const run = () => verifyAudit({ ...memory, tell: async () => undefined, clock });
    await clock.sleep(ENDED_AFTER_MS / 2);
    expect((await run()).broken).toEqual([]);
    await clock.sleep(ENDED_AFTER_MS);
    expect((await run()).broken).toHaveLength(1);
    expect((await run()).broken).toEqual([]);
  });

  it('that fails tells nothing and moves no cursor: the alarm over missing runs speaks', async () => {
    const { run, told, memory } = await verify(whole('a', 1));
    const before = memory.position('verified');
    const clock = new SimulatedClock();
    await clock.sleep(2 * DAY_MS);
    const index = {
      find: async () => {
        throw new Error('throttled');
      },
    };
    const tell = async (broken: number) => void told.push(broken);
    await expect(verifyAudit({ ...memory, index, tell, clock })).rejects.toThrow('throttled');
    expect([told, memory.position('verified')]).toEqual([[0], before]);
    expect(await run()).toMatchObject({ broken: [] });
  });

  it('stops when its time is over, and the next run goes on where it stopped', async () => {
    const logs = ['a', 'b', 'c'].map((id, index) => whole(id, 1 + 20 * index));
    const memory = memoryAudit(logs);
    const clock = new SimulatedClock();
    await clock.sleep(DAY_MS);
    const slow = {
      readUnparsed: async (id: string) => {
        await clock.sleep(150_000);
        return memory.audit.readUnparsed(id);
      },
    };
    const run = () => verifyAudit({ ...memory, audit: slow, tell: async () => undefined, clock });
    expect(await run()).toMatchObject({ verified: 2, upTo: logs[2]?.at(-1)?.at });
    expect(await run()).toMatchObject({ verified: 1 });
    expect(await run()).toMatchObject({ verified: 0 });
  });
});
