import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundedProblem } from '../../../functions/domain/bounded-problem.ts';
import { MAX_BODY_BYTES, MAX_FAULTS } from '../../../functions/domain/contract.ts';
import { bytesOf, MAX_ENTRY_BYTES, MAX_PROBLEM_BYTES } from '../../../functions/domain/limits.ts';
import { parseExperiment } from '../../../functions/domain/parse-experiment.ts';
import { problem } from '../../../functions/domain/problem.ts';
import { codePoint } from './code-point.ts';
import { seedPayload } from './experiment-fixtures.ts';

const fieldError = fc.record({ field: fc.string(), message: fc.string(), allowed: fc.string({ maxLength: 3000 }) });

describe('a refusal', () => {
  it('that fits is not changed', () => {
    const refusal = problem('cluster-locked', 'held', { heldBy: 'exp' });
    expect(boundedProblem(refusal)).toBe(refusal);
  });

  it('says by how many items each of its lists was shortened', () => {
    const lists = { errors: Array(400).fill({ field: 'f', message: 'm', allowed: 'a'.repeat(200) }), nodes: ['n'] };
    const bounded = boundedProblem(problem('unknown-node', 'not started', lists));
    expect(bounded).toMatchObject({ leftOut: { errors: 300 }, nodes: ['n'], detail: 'not started' });
    expect(bounded.errors).toHaveLength(100);
  });

  it('always fits, keeps its type and status, and names what is missing', () => {
    const refusals = fc.record({
      detail: fc.string({ maxLength: 20_000, unit: codePoint }),
      errors: fc.array(fieldError, { maxLength: 300 }),
      deep: fc.anything({ maxDepth: 4, maxKeys: 300 }),
    });
    fc.assert(
      fc.property(refusals, fc.integer({ min: 1000, max: 30_000 }), ({ detail, errors, deep }, maxBytes) => {
        const whole = problem('unknown-node', detail, { errors, deep });
        const bounded = boundedProblem(whole, maxBytes);
        expect(bytesOf(bounded)).toBeLessThanOrEqual(maxBytes);
        expect(bounded).toMatchObject({ type: whole.type, status: 422, title: whole.title });
        const kept = bounded.errors?.length ?? 0;
        if (kept < errors.length) expect(bounded.leftOut).toHaveProperty('errors');
      }),
      { numRuns: 200 },
    );
  });

  it('of the largest body with the most that can be wrong with it fits into the log together with the experiment', () => {
    const fields = Array.from({ length: 6000 }, (_, number) => [`f${number}`, 1]);
    const body = JSON.stringify({ ...Object.fromEntries(fields), experimentId: 'e' });
    expect(Buffer.byteLength(body)).toBeLessThan(MAX_BODY_BYTES);
    const parsed = parseExperiment(body, {});
    if (parsed.ok) throw new Error('accepted');
    expect(bytesOf(parsed.problem)).toBeGreaterThan(MAX_PROBLEM_BYTES);
  });

  it('fits into the log together with the largest experiment that a body can hold', () => {
    const { safetyThreshold } = seedPayload();
    const faults = Array.from({ length: MAX_FAULTS }, (_, fault) => ({
      ...{ targetService: 'redis-master', action: 'PROCESS_KILL' },
      parameters: { targetNodes: Array.from({ length: 100 }, (_, node) => `${'x'.repeat(55)}-${fault}-${node}`) },
    }));
    const body = JSON.stringify({ experimentId: 'e', faults, durationSeconds: 60, safetyThreshold });
    expect(Buffer.byteLength(body)).toBeGreaterThan(0.9 * MAX_BODY_BYTES);
    const parsed = parseExperiment(body, {});
    if (!parsed.ok) throw new Error(parsed.problem.detail);
    expect(bytesOf(parsed.experiment) + MAX_PROBLEM_BYTES).toBeLessThan(MAX_ENTRY_BYTES);
  });
});
