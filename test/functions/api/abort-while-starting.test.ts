import { describe, expect, it } from 'vitest';
import { abortExperiment } from '../../../functions/api/abort-experiment.ts';
import type { Answer } from '../../../functions/api/answer.ts';
import { type StartDependencies, startExperiment } from '../../../functions/api/start-experiment.ts';
import { problem } from '../../../functions/domain/problem.ts';
import { seedPayload } from '../domain/experiment-fixtures.ts';
import { CALLER } from '../domain/fixtures.ts';
import { controlPlane, ID } from './control-plane.ts';
import { eachCall } from './each-call.ts';

/** The start, with an abort of its id in the place before its nth call of a dependency. */
async function abortBeforeCall(nth: number, admit?: StartDependencies['admit']) {
  const plane = controlPlane();
  const called: string[] = [];
  let abort: Answer | undefined;
  const dependencies = eachCall({ ...plane.dependencies, ...(admit ? { admit } : {}) }, async (name) => {
    called.push(name);
    if (called.length === nth) abort = await abortExperiment(ID, CALLER, plane.abortDependencies);
  });
  const request = { body: JSON.stringify(seedPayload()), dryRun: false, caller: CALLER, ownerToken: 'token' };
  const start = await startExperiment(request, dependencies);
  return { plane, called, abort, start };
}

/** Every place there is in a start that nobody disturbs. */
const CALLS = (await abortBeforeCall(0)).called;

describe('an abort of an experiment that is being started', () => {
  it('has its place between any two calls, the first of which makes the start known', () => {
    expect(CALLS.slice(0, 4)).toEqual(['switches.read', 'reservations.noteAdmission', 'reservations.find', 'admit']);
    expect(CALLS).toContain('executions.start');
  });

  it.each(CALLS.map((name, index) => [name, index + 1] as const))(
    'that comes before %s (call %i) leaves no lease under which anything could be injected',
    async (_name, nth) => {
      const { plane, abort, start } = await abortBeforeCall(nth);
      // Before the start is known there is nothing to abort; it comes as if the abort had come long ago.
      if (nth <= 2) return expect([abort?.status, start.status]).toEqual([404, 202]);
      expect(abort).toMatchObject({ status: 202, body: { status: 'ROLLING_BACK', recorded: true } });
      expect(plane.leases.get(ID)).toBe('RELEASED');
      expect(start.status).toBe(202);
      // Either the run only rolls back, or it finds its lease released.
      expect(plane.runs).toHaveLength(1);
    },
  );

  it('lets the run begin with its rollback when it comes before there is a lease', async () => {
    const { plane, start } = await abortBeforeCall(CALLS.indexOf('admit') + 1);
    expect(plane.runs).toMatchObject([{ rollbackOnly: true }]);
    expect(start).toEqual({ status: 202, body: { experimentId: ID, status: 'ROLLING_BACK' } });
    expect(plane.audit.entries.map(({ type }) => type)).toEqual(['ABORT_REQUESTED', 'ADMITTED']);
  });

  it('is answered also when the start is refused in the end, and then nothing runs', async () => {
    const admit = async () => ({ admitted: false as const, problem: problem('alarm-firing', 'not started') });
    const { plane, abort, start } = await abortBeforeCall(CALLS.indexOf('admit') + 1, admit);
    expect([abort?.status, start.status]).toEqual([202, 409]);
    expect(plane.runs).toEqual([]);
  });
});
