import { describe, expect, it } from 'vitest';
import { approveExperiment } from '../../../functions/api/approve-experiment.ts';
import { reasonOfBody } from '../../../functions/api/kill-switch-request.ts';
import { startExperiment } from '../../../functions/api/start-experiment.ts';
import { MAX_BODY_BYTES } from '../../../functions/domain/contract.ts';
import { bytesOf, MAX_PROBLEM_BYTES } from '../../../functions/domain/limits.ts';
import { CALLER } from '../domain/fixtures.ts';
import { controlPlane, ID } from './control-plane.ts';

/** Every route that reads a body. */
const ROUTES: [route: string, ask: (body: string) => Promise<{ status: number; body: object }>][] = [
  ['start', (body) => startExperiment({ body, dryRun: false, caller: CALLER, ownerToken: 't' }, plane())],
  [
    'approve',
    (body) =>
      approveExperiment(
        { experimentId: ID, body, dryRun: false, caller: CALLER, ownerToken: 't' },
        { ...plane(), principals: undefined },
      ),
  ],
  [
    'kill switch',
    async (body) => {
      const reason = reasonOfBody(body);
      return reason.ok ? { status: 200, body: {} } : reason.answer;
    },
  ],
];

function plane() {
  return controlPlane().dependencies;
}

/** An object with as many unknown fields as fit. */
function fields(bytes: number): string {
  const each = '"k00000":1,';
  const many = Math.floor((bytes - 2) / each.length);
  return `{${Array.from({ length: many }, (_, at) => `"k${String(at).padStart(5, '0')}":1`).join(',')}}`;
}

describe.each(ROUTES)('a body for %s', (_route, ask) => {
  it('above the limit is refused with its size, unread', async () => {
    const answer = await ask(' '.repeat(MAX_BODY_BYTES + 1));
    expect(answer).toMatchObject({ status: 413, body: { detail: `the body has ${MAX_BODY_BYTES + 1} bytes` } });
  });

  it('that is wrong in every field gets an answer of bounded size, which says how much it leaves out', async () => {
    const answer = await ask(fields(MAX_BODY_BYTES));
    expect(answer).toMatchObject({ status: 400, body: { leftOut: { errors: expect.any(Number) } } });
    expect(bytesOf(answer.body)).toBeLessThanOrEqual(MAX_PROBLEM_BYTES);
  });
});
