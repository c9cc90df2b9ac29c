import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { startExperiment } from '../../../functions/api/start-experiment.ts';
import { ANSWER_WITHIN_MS } from '../../../functions/domain/timing.ts';
import { seedPayload } from '../domain/experiment-fixtures.ts';
import { CALLER } from '../domain/fixtures.ts';
import { controlPlane, ID } from './control-plane.ts';
import { eachCall } from './each-call.ts';

/** What API Gateway waits for. */
const API_GATEWAY_MS = 29_000;
const NEVER_MS = 3_600_000;

/** A start on ports each of whose calls takes the next of these times, and what came of it an hour later. */
async function startWithDelays(delaysMs: readonly number[]) {
  const plane = controlPlane();
  const { clock } = plane;
  // In production: with an announcement, the longest way there is.
  plane.dependencies.announcer.announce = { leadSeconds: 0, alsoClusters: [] };
  const calls = delaysMs.values();
  const called: { name: string; atMs: number }[] = [];
  const dependencies = eachCall(plane.dependencies, async (name) => {
    called.push({ name, atMs: clock.monotonicMs() });
    await clock.sleep(calls.next().value ?? 0);
  });
  const request = { body: JSON.stringify(seedPayload()), dryRun: false, caller: CALLER, ownerToken: 'token' };
  const answer = await startExperiment(request, dependencies);
  const tookMs = clock.monotonicMs();
  const begun = called.filter(({ name }) => name === 'executions.start').length;
  await clock.sleep(2 * NEVER_MS);
  return { plane, answer, tookMs, called, begun };
}

const delay = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 300 }) },
  { weight: 2, arbitrary: fc.integer({ min: 300, max: 15_000 }) },
  { weight: 1, arbitrary: fc.constant(NEVER_MS) },
);

describe('a start', () => {
  it('is answered within the time of API Gateway, whichever calls are slow or hang, and begins nothing after its answer', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(delay, { minLength: 20, maxLength: 40 }), async (delaysMs) => {
        const { plane, answer, tookMs, called } = await startWithDelays(delaysMs);
        expect(tookMs).toBeLessThanOrEqual(ANSWER_WITHIN_MS);
        expect(ANSWER_WITHIN_MS).toBeLessThan(API_GATEWAY_MS);
        expect(called.filter(({ atMs }) => atMs > tookMs)).toEqual([]);
        expect([202, 503]).toContain(answer.status);
        if (answer.status === 202) expect(plane.audit.entries.map(({ type }) => type)).toContain('ADMITTED');
      }),
      { numRuns: 300 },
    );
  });

  it.each(Array.from({ length: 13 }, (_, nth) => nth))(
    'leaves no held lease behind when call %i hangs and the answer is that nobody knows',
    async (nth) => {
      const delaysMs = Array.from({ length: 13 }, (_, index) => (index === nth ? NEVER_MS : 5));
      const { plane, answer, begun } = await startWithDelays(delaysMs);
      // The hanging call itself may succeed in the end: nothing may be running then.
      if (answer.status === 503 && begun > 0) expect(plane.leases.get(ID)).toBe('RELEASED');
      if (answer.status === 503 && begun === 0) expect(plane.runs).toEqual([]);
    },
  );
});
