import { describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../../functions/domain/audit-entry.ts';
import type { ExperimentRun } from '../../../functions/domain/workflow.ts';
import { onExecutionEnd } from '../../../functions/rollback/on-execution-end.ts';
import { EPOCH_MS, fullRun, runUntil } from '../domain/fixtures.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';

const ID = 'exp_chaos_redis_019';
const SWEEP_RUN = `${ID}-sweep-${Math.floor(EPOCH_MS / 60_000)}`;
const input = (rollbackOnly = false) => JSON.stringify({ experimentId: ID, rollbackOnly });
const running = runUntil('INJECTED');

async function end(detail: { name: string; input?: string }, entries: AuditEntry[] | Error = running) {
  const acts: string[] = [];
  const runs: ExperimentRun[] = [];
  const result = await onExecutionEnd(
    { detail: { status: 'ABORTED', ...detail } },
    {
      audit: {
        readToDecideRollback: async () => {
          acts.push('read');
          if (entries instanceof Error) throw entries;
          return entries;
        },
      },
      leases: {
        release: async (id, reason, why) => {
          acts.push(`release ${id} ${reason}: ${why}`);
          return true;
        },
      },
      executions: {
        start: async (name, run) => {
          acts.push(`start ${name}`);
          runs.push(run);
        },
      },
      clock: new SimulatedClock(),
    },
  ).catch((error: Error) => error.message);
  return { acts, runs, result };
}

const released = `release ${ID} SWEEP: its execution ended as ABORTED`;

describe('an execution that died', () => {
  it('loses its lease before anything else, and is rolled back', async () => {
    const { acts, runs, result } = await end({ name: ID, input: input() });
    expect(acts).toEqual([released, 'read', `start ${SWEEP_RUN}`]);
    expect(runs[0]).toMatchObject({ experimentId: ID, rollbackOnly: true, experiment: { experimentId: ID } });
    expect(result).toBe('rollback started');
  });

  it('is known by its name when its input is not in the event', async () => {
    expect((await end({ name: ID })).acts[0]).toBe(released);
    expect((await end({ name: ID, input: 'null' })).acts[0]).toBe(released);
  });

  it('loses its lease although the log cannot be read, and the event comes again', async () => {
    expect(await end({ name: ID, input: input() }, new Error('no answer'))).toMatchObject({
      acts: [released, 'read'],
      result: 'no answer',
    });
  });

  it('is left to the sweep when it was a rollback itself, so that nothing starts itself again', async () => {
    const { acts, result } = await end({ name: SWEEP_RUN, input: input(true) });
    expect(acts).toEqual([released, 'read']);
    expect(result).toBe('left to the sweep');
  });

  it('starts nothing after its verdict, and nothing when it was never admitted', async () => {
    expect((await end({ name: ID }, fullRun({ CONCLUDED: {} }))).result).toBe('concluded before');
    expect((await end({ name: ID }, [])).result).toBe('nothing to roll back');
  });
});
