import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { EXIT } from '../../../cli/exit-codes.ts';
import { holdfast, PlayedApi, playedSignals } from '../command.ts';
import { runOf } from '../runs/run-fixtures.ts';
import { FakeApi, refusal } from './fake-api.ts';

const EXAMPLE = 'examples/redis-cpu-spike.json';
const directory = mkdtempSync(join(tmpdir(), 'holdfast-campaign-'));
afterAll(() => rmSync(directory, { recursive: true }));

let server: PlayedApi;
beforeAll(async () => {
  server = new PlayedApi();
  await server.start();
});
afterAll(() => {
  server.stop();
  vi.unstubAllEnvs();
});
beforeEach(() => {
  server.asked.length = 0;
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  vi.stubEnv('AWS_PROFILE', undefined);
});
const ask = (...argv: string[]) => holdfast(argv, { HOLDFAST_URL: server.url });

/** The experiments of these runs, and nothing else. */
function knows(...runs: ReturnType<typeof runOf>[]) {
  server.answer = ({ url }) => {
    const run = runs.find(({ experimentId }) => url.endsWith(`/${experimentId}`));
    return run ? { body: { ...run, timeline: [] } } : refusal('experiment-not-found', 'unknown');
  };
}

function file(name: string, document: unknown): string {
  const path = join(directory, name);
  writeFileSync(path, JSON.stringify(document));
  return path;
}

describe('compare', () => {
  test('takes runs from the API and from files, and ends well', async () => {
    knows(runOf('before', 8));
    const { code, stdout } = await ask(
      'compare',
      'before',
      file('after.json', { runs: [runOf('a-1', 4), runOf('a-2', 5)] }),
    );
    expect(code).toBe(EXIT.confirmed);
    expect(stdout).toMatch(/^rtoSeconds +s +8 +4 \(4-5\), n 2 +-4 +0\.50$/m);
  });

  test('of files alone needs neither API nor credentials, and --json is one document', async () => {
    const [a, b] = [file('a.json', runOf('a', 8)), file('b.json', runOf('b', 4))];
    const { code, stdout, stderr } = await holdfast(['compare', a, b, '--json']);
    expect(code).toBe(EXIT.confirmed);
    expect(JSON.parse(stdout).measures).toContainEqual(expect.objectContaining({ measure: 'rtoSeconds', ratio: 0.5 }));
    expect(stderr).toContain('rtoSeconds');
  });

  test('of which one side has no run that counts is inconclusive', async () => {
    const aborted = file('aborted.json', runOf('b', 4, { status: 'ABORTED', outcome: 'INCONCLUSIVE' }));
    const { code, stdout } = await holdfast(['compare', file('a.json', runOf('a', 8)), aborted]);
    expect(code).toBe(EXIT.inconclusive);
    expect(stdout).toContain('not compared: b (ABORTED, INCONCLUSIVE)');
  });

  test('of an id that is not known is refused, and of no file it is wrong usage', async () => {
    knows();
    const unknown = await ask('compare', 'nobody', 'nobody-either');
    expect([unknown.code, unknown.stderr]).toEqual([EXIT.refused, expect.stringContaining('no such experiment')]);
    expect((await ask('compare', 'gone.json', 'gone.json')).code).toBe(EXIT.usage);
  });
});

describe('campaign', () => {
  test('runs a file, and its document can be compared', async () => {
    const fake = new FakeApi(['redis-node-1', 'redis-node-2', 'redis-node-3']);
    server.answer = ({ method, url, body }) => fake.answerTo(method, url, body);
    const ran = await ask(
      'campaign',
      EXAMPLE,
      '--runs',
      '2',
      '--follow-role',
      'master',
      '--limit',
      'rtoSeconds=5',
      '--json',
    );
    expect(ran.stderr).toContain('rtoSeconds P99 ≤ 5 s: not yet claimable with 2 runs, 299 needed; P95: 59; P90: 29');
    expect(ran.code).toBe(EXIT.confirmed);
    const document = file('campaign.json', JSON.parse(ran.stdout));
    const compared = await holdfast(['compare', document, document]);
    expect(compared.stdout).toContain('A: 2 runs (exp_chaos_redis_025-1, exp_chaos_redis_025-2); CONFIRMED 2');
    expect(fake.starts.map(({ body }) => body.parameters.targetNodes)).toEqual([['redis-node-3'], ['redis-node-1']]);
  });

  test('that is left before its first start has begun nothing, also when the API answers nothing', async () => {
    const signals = playedSignals();
    server.answer = () => {
      signals.send('SIGTERM');
      signals.send('SIGTERM');
      return undefined;
    };
    const { code, stderr } = await holdfast(
      ['campaign', EXAMPLE, '--runs', '2'],
      { HOLDFAST_URL: server.url },
      { signals },
    );
    expect(code).toBe(EXIT.aborted);
    expect(stderr).toContain('left before anything was started');
    expect(server.asked.filter(({ method }) => method === 'POST')).toEqual([]);
  });

  const WRONG: [string[], RegExp][] = [
    [[], /required option '--runs <number>'/],
    [['--runs', '0'], /not a whole number from 1 to 1000/],
    [['--runs', '1e3'], /not a whole number from 1 to 1000/],
    [['--runs', '1', '--patience', '-1'], /not a whole number from 0 to/],
    [
      ['--runs', '1', '--limit', 'rto=5'],
      /--limit rto=5: is not NAME=NUMBER with a measure of which less is better \(allowed: rtoSeconds, /,
    ],
    [['--runs', '1', '--limit', 'rtoSeconds'], /of which less is better/],
    [['--runs', '1', '--limit', 'acknowledgedWrites=9'], /of which less is better/],
    [['--runs', '1', '--limit', 'rtoSeconds=-1'], /-1 is not a number of 0 or more/],
    [['--runs', '1', '--limit', 'rtoSeconds='], /nothing is not a number/],
    [['--runs', '1', '--limit', 'rtoSeconds=1', '--limit', 'rtoSeconds=2'], /rtoSeconds: is given twice/],
  ];
  for (const [argv, expected] of WRONG) {
    test(`asks nothing when it is called wrongly: campaign FILE ${argv.join(' ')}`, async () => {
      const { code, stderr } = await ask('campaign', EXAMPLE, ...argv);
      expect(stderr).toMatch(expected);
      expect([code, server.asked]).toEqual([EXIT.usage, []]);
    });
  }

  test('asks nothing when a run would have an id that is too long', async () => {
    const payload = {
      experimentId: 'e'.repeat(49),
      durationSeconds: 20,
      targetService: 'redis',
      action: 'PROCESS_KILL',
    };
    const safetyThreshold = { maxAlertSeverity: 'WARNING', automaticRollbackOnAlert: true };
    const long = file('long.json', { ...payload, parameters: { targetNodes: ['node-3'] }, safetyThreshold });
    const { code, stderr } = await ask('campaign', long, '--runs', '1');
    expect(stderr).toMatch(/experimentId: a run would be named e+-1/);
    expect([code, server.asked]).toEqual([EXIT.usage, []]);
  });
});
