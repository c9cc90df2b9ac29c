import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { EXIT } from '../../cli/exit-codes.ts';
import { holdfast, PlayedApi } from './command.ts';

const api = new PlayedApi();
beforeAll(async () => {
  await api.start();
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  vi.stubEnv('AWS_PROFILE', undefined);
});
afterAll(() => {
  api.stop();
  vi.unstubAllEnvs();
});
beforeEach(() => {
  api.asked.length = 0;
});
const ask = (...argv: string[]) => holdfast(['kill-switch', ...argv], { HOLDFAST_URL: api.url });
const problem = (slug: string, detail: string) => ({
  type: `urn:holdfast:problem:${slug}`,
  ...{ title: 'x', status: 409, detail },
});

describe('holdfast kill-switch', () => {
  it('engages that of all with the reason, and shows each step and what failed', async () => {
    const steps = [
      { step: 'SWITCH', outcome: 'DONE', detail: 'no beat counts any more' },
      { step: 'HOSTS', outcome: 'FAILED', detail: 'redis-node-3: nothing was sent' },
    ];
    api.answer = () => ({ body: { engaged: true, alreadyEngaged: false, recorded: false, steps } });
    const { code, stdout } = await ask('engage', '--reason', 'a bad release');
    expect(code).toBe(EXIT.confirmed);
    expect(api.asked).toMatchObject([
      { method: 'POST', url: '/api/v1/chaos/kill-switch', body: '{"reason":"a bad release"}' },
    ]);
    for (const said of ['is engaged', 'HOSTS', 'FAILED', 'nothing was sent', 'not on record', 're-arm']) {
      expect(stdout).toContain(said);
    }
  });

  it('engages that of one cluster', async () => {
    const body = { engaged: true, cluster: 'redis', alreadyEngaged: true, recorded: true, steps: [] };
    api.answer = () => ({ body });
    const { stdout } = await ask('engage', '--cluster', 'redis', '--reason', 'x', '--json');
    expect(api.asked[0]?.url).toBe('/api/v1/chaos/kill-switch?cluster=redis');
    expect(JSON.parse(stdout)).toEqual(body);
  });

  it('does not say that it is engaged, nor that it was refused, when it could not be', async () => {
    api.answer = () => ({ status: 503, body: problem('kill-switch-not-engaged', 'not engaged: no answer') });
    const { code, stderr } = await ask('engage', '--reason', 'x');
    expect(code).toBe(EXIT.unavailable);
    expect(stderr).toContain('not engaged: no answer');
  });

  it('wants a reason, and sends nothing without', async () => {
    expect((await ask('engage')).code).toBe(EXIT.usage);
    expect((await ask('re-arm')).code).toBe(EXIT.usage);
    expect(api.asked).toEqual([]);
  });

  it('shows every switch, who engaged it, when and why', async () => {
    const engagement = { by: 'arn:aws:iam::1:user/anna', at: '2026-05-29T13:12:00.000Z', reason: 'a bad release' };
    api.answer = () => ({
      body: {
        engaged: true,
        switches: [
          { engaged: true, engagement },
          { cluster: 'redis', engaged: false },
        ],
      },
    });
    const { code, stdout } = await ask('status');
    expect(code).toBe(EXIT.confirmed);
    expect(stdout).toContain('all clusters: ENGAGED');
    expect(stdout).toContain('user/anna, 2026-05-29T13:12:00.000Z: a bad release');
    expect(stdout).toContain('redis: armed');
  });

  it('re-arms with a reason, and shows who is not over when it is refused', async () => {
    api.answer = () => ({ body: { engaged: false, alreadyArmed: false, safetyLever: 'disengaged' } });
    const { code, stdout } = await ask('re-arm', '--reason', 'all is well');
    expect(code).toBe(EXIT.confirmed);
    expect(stdout).toContain('Armed again');
    expect(api.asked).toMatchObject([
      { method: 'DELETE', url: '/api/v1/chaos/kill-switch?reason=all%20is%20well', body: '' },
    ]);
    api.answer = () => ({ status: 409, body: problem('kill-switch-in-use', 'not re-armed: exp holds redis') });
    const refused = await ask('re-arm', '--cluster', 'redis', '--reason', 'x');
    expect(refused.code).toBe(EXIT.refused);
    expect(refused.stderr).toContain('exp holds redis');
  });
});
