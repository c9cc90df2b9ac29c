import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { EXIT } from '../../cli/exit-codes.ts';
import { problem } from '../../functions/domain/problem.ts';
import { holdfast, PlayedApi } from './command.ts';

const WEEKLY = {
  ...{ schedule: 'weekly', state: 'ENABLED', expression: 'cron(0 10 ? * TUE *)', timeZone: 'Europe/Berlin' },
  ...{ nextAt: '2026-06-02T08:00:00.000Z', lastRun: null },
};
const LAST = { scheduledAt: '2026-05-26T08:00:00Z', experimentId: 'weekly-20260526T080000Z', result: 'STARTED' };

let api: PlayedApi;
beforeAll(async () => {
  api = new PlayedApi();
  await api.start();
});
afterAll(() => {
  api.stop();
  vi.unstubAllEnvs();
});
beforeEach(() => {
  api.asked.length = 0;
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
});
const ask = (...argv: string[]) => holdfast(['schedule', ...argv], { HOLDFAST_URL: api.url });
const asked = () => api.asked.map(({ method, url }) => `${method} ${url}`);

describe('schedule list', () => {
  const list = (...schedules: object[]) => {
    api.answer = () => ({ body: { schedules } });
    return ask('list');
  };

  test('shows when each comes next, and how the last one ended or why it was not started', async () => {
    const refused = { ...LAST, result: 'REFUSED', problem: problem('cluster-locked', 'held by exp_\u001b[2J') };
    const { stdout, code } = await list(
      { ...WEEKLY, lastRun: { ...LAST, status: 'COMPLETED', outcome: 'CONFIRMED' } },
      { ...WEEKLY, schedule: 'other', state: 'PAUSED', nextAt: null, lastRun: refused },
      { ...WEEKLY, schedule: 'fresh' },
    );
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ {2,}/));
    expect(rows).toEqual([
      ['schedule', 'state', 'when', 'next', 'last', 'result'],
      [
        ...['weekly', 'ENABLED', 'cron(0 10 ? * TUE *) Europe/Berlin', '2026-06-02T08:00:00.000Z'],
        ...['2026-05-26T08:00:00Z', 'weekly-20260526T080000Z COMPLETED CONFIRMED'],
      ],
      [
        ...['other', 'PAUSED', 'cron(0 10 ? * TUE *) Europe/Berlin', '-', '2026-05-26T08:00:00Z'],
        'REFUSED: held by exp_ [2J',
      ],
      ['fresh', 'ENABLED', 'cron(0 10 ? * TUE *) Europe/Berlin', '2026-06-02T08:00:00.000Z', '-', '-'],
    ]);
    expect([code, asked()]).toEqual([EXIT.confirmed, ['GET /api/v1/chaos/schedules']]);
  });

  test('shows the others where the log of one, or of its last run, cannot be read', async () => {
    const reason = 'its log could not be read: down';
    const { stdout, code } = await list(
      { ...WEEKLY, state: 'UNKNOWN', nextAt: null, reason },
      { ...WEEKLY, schedule: 'other', lastRun: { ...LAST, status: 'UNKNOWN', reason } },
      { ...WEEKLY, schedule: 'fresh' },
    );
    const rows = stdout.split('\n').map((line) => line.split(/ {2,}/));
    expect(rows.slice(1, 4).map((row) => [row[0], row[1], row.at(-1)])).toEqual([
      ['weekly', 'UNKNOWN', reason],
      ['other', 'ENABLED', `${LAST.experimentId} UNKNOWN: ${reason}`],
      ['fresh', 'ENABLED', '-'],
    ]);
    expect(code).toBe(EXIT.confirmed);
  });

  test('says where there is none', async () => {
    expect((await list()).stdout).toBe('the configuration has no schedules\n');
  });
});

describe('a schedule', () => {
  test('is run, and the command says under which id', async () => {
    api.answer = () => ({ status: 202, body: { experimentId: LAST.experimentId, status: 'INJECTED' } });
    const { code, stdout } = await ask('run', 'weekly');
    expect(stdout).toBe(`${LAST.experimentId}: INJECTED. See it with: holdfast watch ${LAST.experimentId}\n`);
    expect([code, asked()]).toEqual([EXIT.notOver, ['POST /api/v1/chaos/schedules/weekly/run']]);
  });

  test('that is refused is refused with its reason', async () => {
    const body = problem('schedule-paused', 'not started: schedule weekly was paused by arn:x');
    api.answer = () => ({ status: body.status, body, type: 'application/problem+json' });
    const { code, stderr } = await ask('run', 'weekly');
    expect(stderr).toContain('was paused by arn:x');
    expect(code).toBe(EXIT.refused);
  });

  describe('of which nobody knows whether it was started', () => {
    const unknown = problem('control-plane-unknown', 'nobody knows', { experimentId: LAST.experimentId });
    const status = { experimentId: LAST.experimentId, impactedNodes: [], elapsedSeconds: 0, remainingSeconds: 0 };
    const asking = (answer: object | undefined, experiment?: object) => {
      api.answer = ({ method, url }) => {
        if (method === 'POST') return answer;
        if (!experiment) return { status: 404, body: problem('experiment-not-found', 'none') };
        return {
          body: url.endsWith('/status') ? { ...status, ...experiment } : { ...status, timeline: [], ...experiment },
        };
      };
      return ask('run', 'weekly');
    };

    test('is followed by its id, and was started after all', async () => {
      const { code, stdout } = await asking({ status: 503, body: unknown }, { status: 'RUNNING' });
      expect(stdout).toContain('The fault is in place');
      expect([code, asked()[1]]).toEqual([EXIT.notOver, `GET /api/v1/chaos/experiments/${LAST.experimentId}`]);
    });

    test('is not called refused when nothing is heard of it', async () => {
      const { code, stdout } = await asking({ status: 503, body: unknown });
      expect(stdout).toContain('nothing shows that it began');
      expect(code).toBe(EXIT.inconclusive);
    });

    test.each([
      ['an error inside', { status: 500, body: problem('internal-error', 'see the log') }],
      ['a gateway that gave up', { status: 504, body: { message: 'Endpoint request timed out' } }],
    ])('is not called refused or failed without an id either: %s', async (_what, answer) => {
      const { code, stderr } = await asking(answer);
      expect(stderr).toContain('holdfast schedule list');
      expect(code).toBe(EXIT.inconclusive);
    });

    test('is not called refused when the API closes the connection', async () => {
      const { code, stderr } = await holdfast(['schedule', 'run', 'weekly'], {
        HOLDFAST_URL: 'http://127.0.0.1:1/api',
      });
      expect(stderr).toContain('holdfast schedule list');
      expect(code).toBe(EXIT.inconclusive);
    });

    test('is refused all the same where the refusal is certain, though it is a 503', async () => {
      const body = problem('telemetry-unavailable', 'the newest sample is 3.2 s old');
      const { code, stderr } = await asking({ status: body.status, body });
      expect(stderr).toContain('3.2 s old');
      expect(code).toBe(EXIT.refused);
    });

    test('waits for its approval: nothing was started, as run says it', async () => {
      const approval = {
        state: 'PENDING',
        hash: 'a'.repeat(64),
        mayNotApprove: 'arn:x',
        expiresAt: '2026-06-02T09:00:00Z',
      };
      const pending = { status: 'PENDING_APPROVAL', approval };
      const { code, stdout } = await asking(
        { status: 202, body: { experimentId: LAST.experimentId, ...pending } },
        pending,
      );
      expect(stdout).toContain('nothing was started');
      expect(stdout).toContain('holdfast approve');
      expect(code).toBe(EXIT.pendingApproval);
    });
  });

  test.each([
    ['pause', true, 'weekly is paused.\n'],
    ['resume', false, 'weekly is not paused.\n'],
  ])('can be told to %s', async (act, paused, words) => {
    api.answer = () => ({ body: { schedule: 'weekly', paused } });
    const { code, stdout } = await ask(act, 'weekly');
    expect([code, stdout, asked()]).toEqual([0, words, [`POST /api/v1/chaos/schedules/weekly/${act}`]]);
  });

  test('is never another path than its own, whatever its name is', async () => {
    await ask('pause', '../experiments');
    expect(asked()).toEqual(['POST /api/v1/chaos/schedules/..%2Fexperiments/pause']);
  });
});
