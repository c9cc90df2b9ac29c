import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createApiClient } from '../../cli/api-client.ts';
import { EXIT, EXIT_CODES } from '../../cli/exit-codes.ts';
import { hashEntry } from '../../functions/domain/hash-chain.ts';
import { freePort, listening } from '../functions/listening.ts';
import { holdfast, PlayedApi, playedSignals } from './command.ts';

const EXAMPLE = 'examples/redis-partition.json';
const ID = 'exp_chaos_redis_019';
const directory = mkdtempSync(join(tmpdir(), 'holdfast-commands-'));
afterAll(() => rmSync(directory, { recursive: true }));

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
  vi.stubEnv('AWS_SESSION_TOKEN', 'token');
  vi.stubEnv('AWS_PROFILE', undefined);
});

const ask = (...argv: string[]) => holdfast(argv, { HOLDFAST_URL: api.url });

function log(...types: string[]) {
  let previousHash = '';
  return types.map((type, index) => {
    const details = type === 'CONCLUDED' ? { reason: 'x', limit: null } : {};
    const at = `2026-05-29T13:12:0${index}.000Z`;
    const entry = { experimentId: ID, sequence: index + 1, type, at, actor: { function: 'f' }, details, previousHash };
    const hash = hashEntry(entry);
    previousHash = hash;
    return { ...entry, hash, summary: type };
  });
}
const detail = (status: string, outcome: string | null) => ({
  ...{ experimentId: ID, status, outcome, nodes: [], record: [], chainVerified: true },
  timeline: log('ADMITTED', 'INJECTED', 'ROLLED_BACK', 'CONCLUDED'),
});

/** An API in which the experiment is as given. */
function experiment(status: string, outcome: string | null, changes: object = {}) {
  api.answer = ({ url }) => ({ body: { ...detail(status, outcome), ...(url.endsWith('/status') ? {} : changes) } });
}

describe('the exit code', () => {
  const ENDS: [string, string | null, number][] = [
    ['COMPLETED', 'CONFIRMED', 0],
    ['COMPLETED', 'DEVIATED', 1],
    ['REFUSED', null, 2],
    ['ABORTED', 'DEVIATED', 3],
    ['ROLLBACK_FAILED', 'INCONCLUSIVE', 4],
    ['COMPLETED', 'INCONCLUSIVE', 5],
    ['COMPLETED', null, 5],
  ];
  for (const [status, outcome, code] of ENDS) {
    test(`of status and watch is ${code} for one that ended ${status} ${outcome}`, async () => {
      experiment(status, outcome);
      expect((await ask('status', ID)).code).toBe(code);
      expect((await ask('watch', ID)).code).toBe(code);
    });
  }

  test('of status is none of a verdict for one that still runs', async () => {
    experiment('RUNNING', null);
    const { code, stdout } = await ask('status', ID);
    expect(code).toBe(EXIT.notOver);
    expect(stdout).toContain('RUNNING');
  });

  test('stands in --help and in the documentation, all of them', async () => {
    const { stdout, code } = await holdfast(['--help']);
    expect(code).toBe(0);
    for (const [number, words] of EXIT_CODES) expect(stdout).toContain(`${number}  ${words}`);
    const rows = readFileSync('docs/command.md', 'utf8').match(/^\| \d+ \|.*$/gm);
    expect(rows).toEqual(EXIT_CODES.map(([number, words]) => `| ${number} | ${words} |`));
  });
});

describe('wrong usage is 64, says what is right, and asks nothing', () => {
  const WRONG: [string[], RegExp][] = [
    [[], /Usage: holdfast/],
    [['frobnicate'], /unknown command/],
    [['run'], /missing required argument 'file'/],
    [['run', EXAMPLE, '--dryRun'], /unknown option '--dryRun'/],
    [['run', EXAMPLE, 'another.json'], /too many arguments/],
    [['status'], /missing required argument 'id'/],
    [['list'], /required option '--cluster <name>'/],
    [['schedule'], /Usage: holdfast schedule/],
    [['schedule', 'pause'], /missing required argument 'name'/],
    [['validate'], /missing required argument 'file'/],
    [['run', 'no.json'], /no\.json: ENOENT/],
    [['run', 'examples'], /EISDIR/],
    [['status', ID, '--url', 'ftp://x'], /not encrypted/],
    [['status', ID, '--lab', '/nowhere'], /no lab is up/],
  ];
  for (const [argv, expected] of WRONG) {
    test(`holdfast ${argv.join(' ')}`, async () => {
      const { code, stderr, stdout } = await ask(...argv);
      expect(stderr).toMatch(expected);
      expect([code, stdout, api.asked]).toEqual([64, '', []]);
    });
  }

  test('a run with a file that is not valid sends nothing', async () => {
    const file = join(directory, 'wrong.yaml');
    writeFileSync(file, 'experimentId: exp_1\nduration: 3\n');
    const { code, stderr } = await ask('run', file);
    expect(stderr).toContain('wrong.yaml:2:1: duration: is not a known field');
    expect([code, api.asked]).toEqual([64, []]);
  });
});

describe('validate', () => {
  test('needs neither API nor credentials, and says what it cannot know', async () => {
    const { code, stdout } = await holdfast(['validate', EXAMPLE]);
    expect(code).toBe(0);
    expect(stdout).toContain(`${EXAMPLE}: valid: ${ID}, NETWORK_PARTITION on redis-node-3, 60 s`);
    expect(stdout).toContain('is not known offline');
  });

  test('says which roles choose the nodes: who has them is known at admission', async () => {
    const file = join(directory, 'roles.json');
    const example = JSON.parse(readFileSync(EXAMPLE, 'utf8'));
    const groups = {
      targetPartitionGroupA: [{ role: 'leader', of: 'orders-0' }],
      targetPartitionGroupB: [{ role: 'rest' }],
    };
    writeFileSync(file, JSON.stringify({ ...example, parameters: { packetLossPct: 100, ...groups } }));
    const { code, stdout } = await holdfast(['validate', file]);
    expect(code).toBe(0);
    expect(stdout).toContain(
      'NETWORK_PARTITION on targetPartitionGroupA leader of orders-0; targetPartitionGroupB rest, 60 s',
    );
  });

  test('tells of each file, and of all in one document', async () => {
    const wrong = join(directory, 'wrong.json');
    writeFileSync(wrong, '{"experimentId": "exp_1"}');
    const { code, stdout, stderr } = await holdfast(['validate', EXAMPLE, wrong, 'no.json', '--json']);
    const document = JSON.parse(stdout);
    expect(code).toBe(64);
    expect(document.valid).toBe(false);
    expect(document.files.map((file: { valid: boolean }) => file.valid)).toEqual([true, false, false]);
    expect(document.files[1].errors).toContainEqual(
      expect.objectContaining({ field: 'durationSeconds', line: 1, column: 1 }),
    );
    expect(stderr).toContain('no.json: ENOENT');
  });

  test('says also in one document where a file cannot be read as it is meant', async () => {
    const wrong = join(directory, 'twice.yaml');
    writeFileSync(wrong, 'experimentId: a\nexperimentId: b\n');
    const { stdout } = await holdfast(['validate', wrong, '--json']);
    expect(JSON.parse(stdout).files[0].errors).toEqual([
      expect.objectContaining({ field: 'experimentId', message: 'is given twice', line: 2, column: 1 }),
    ]);
  });

  test('passes over a schema among several files, and nothing else', async () => {
    const schema = 'examples/experiment.schema.json';
    const { code, stdout } = await holdfast(['validate', schema, EXAMPLE]);
    expect([code, stdout.split('\n')[0]]).toEqual([0, `${schema}: passed over, a JSON Schema by its name`]);
    expect((await holdfast(['validate', schema])).code).toBe(EXIT.usage);
    expect((await holdfast(['validate', schema, 'no.json'])).code).toBe(EXIT.usage);
  });
});

describe('an answer that is none of the API is said as what it is', () => {
  const COMMANDS = [
    ['status', ID],
    ['watch', ID],
    ['verify', ID],
    ['abort', ID],
    ['list', '--cluster', 'redis-master'],
    ['schedule', 'list'],
    ['schedule', 'pause', 'weekly'],
    ['run', EXAMPLE],
    ['run', EXAMPLE, '--dry-run'],
  ];
  const PROBLEM = {
    type: 'urn:holdfast:problem:experiment-not-found',
    title: 'There is no such experiment',
    status: 404,
  };
  const ANSWERS: [string, NonNullable<ReturnType<PlayedApi['answer']>>, number, RegExp][] = [
    ['another API', { body: {} }, EXIT.unavailable, /the answer is not as the API gives it: \w+: /],
    ['an unknown id', { status: 404, body: PROBLEM }, EXIT.refused, /There is no such experiment/],
    [
      'a proxy',
      { status: 502, text: '<html>Bad Gateway</html>', type: 'text/html' },
      EXIT.unavailable,
      /text\/html that is not JSON .*proxy/,
    ],
    [
      'too many requests',
      { status: 429, body: { message: 'Too Many Requests' } },
      EXIT.unavailable,
      /429.*\n.*Try again/,
    ],
    [
      'an internal error',
      { status: 500, body: { type: 'urn:holdfast:problem:internal-error', title: 'Inside', status: 500 } },
      EXIT.unavailable,
      /The API failed \(500\): Inside/,
    ],
    [
      'a right that is missing',
      { status: 403, body: { message: 'User: x is not authorized to perform: execute-api:Invoke' } },
      EXIT.notPermitted,
      /execute-api:Invoke on this API.*apiPrincipals/,
    ],
    [
      'a path without its stage',
      { status: 403, body: { message: 'Missing Authentication Token' } },
      EXIT.notPermitted,
      /stage in --url/,
    ],
    [
      'a wrong region',
      { status: 403, body: { message: 'Credential should be scoped to a valid region.' } },
      EXIT.notPermitted,
      /--region must be the region/,
    ],
    [
      'an expired token',
      { status: 403, body: { message: 'The security token included in the request is expired' } },
      EXIT.notPermitted,
      /not valid \(any more\)/,
    ],
  ];
  for (const argv of COMMANDS) {
    for (const [what, answer, code, expected] of ANSWERS) {
      test(`holdfast ${argv.join(' ')}: ${what}`, async () => {
        api.answer = () => answer;
        const ran = await ask(...argv);
        expect(ran.stdout + ran.stderr).toMatch(expected);
        expect(ran.code).toBe(code);
      });
    }
    test(`holdfast ${argv.join(' ')}: nobody listens`, async () => {
      const url = `http://127.0.0.1:${await freePort()}`;
      const { code, stderr } = await holdfast([...argv, '--url', url]);
      expect(stderr).toMatch(/the API could not be asked: 127\.0\.0\.1:\d+: connect ECONNREFUSED/);
      expect(code).toBe(EXIT.unavailable);
    });
  }

  test('somebody who answers nothing', async () => {
    const server = createServer(() => undefined);
    const apiUrl = `http://127.0.0.1:${await listening(server)}`;
    const credentials = { accessKeyId: 'a', secretAccessKey: 's' };
    const client = createApiClient({ apiUrl, region: 'r', credentials }, 50);
    await expect(client.call('GET', '/api/x')).rejects.toThrow(/127\.0\.0\.1:\d+: GET \/api\/x: no answer in 0\.05 s/);
    client.close();
    server.close();
  });

  test('somebody who is no HTTP server', async () => {
    const server = createServer((socket) => socket.end('SSH-2.0-OpenSSH\r\n'));
    const url = `http://127.0.0.1:${await listening(server)}`;
    const { code, stderr } = await holdfast(['status', ID, '--url', url]);
    server.close();
    expect(stderr).toContain('the API could not be asked');
    expect(code).toBe(EXIT.unavailable);
  });

  test('no credentials', async () => {
    for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) vi.stubEnv(name, undefined);
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
    for (const name of ['AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE']) vi.stubEnv(name, '/nowhere');
    for (const more of [[], ['--profile', 'nobody']]) {
      const { code, stderr } = await ask('status', ID, ...more);
      expect(stderr).toMatch(/no AWS credentials: .*; give --profile \(or AWS_PROFILE\)/);
      expect([code, api.asked]).toEqual([EXIT.notPermitted, []]);
    }
    vi.unstubAllEnvs();
  });
});

test('what a proxy, a file or a URL holds cannot command the terminal or show a password', async () => {
  api.answer = () => ({ status: 502, text: 'a\u001b[2Jb', type: 'text/plain' });
  const file = join(directory, 'escape.json');
  writeFileSync(file, '{"a\\u001b[2J": 1}');
  const raw = join(directory, 'raw.yaml');
  writeFileSync(raw, '"a\\e[2J": 1\n');
  const ran = [
    await ask('status', ID),
    await ask('validate', file, raw),
    await ask('run', file),
    await ask('run', raw),
  ];
  for (const { stdout, stderr } of ran) expect(stdout + stderr).not.toContain('\u001b');
  for (const url of ['https://user:s3cret@host/api', 'http://user:s3cret@host/api', 'user:s3cret@host']) {
    const { code, stderr } = await ask('status', ID, '--url', url);
    expect([code, stderr.includes('s3cret')]).toEqual([EXIT.usage, false]);
  }
});

describe('--json is one document', () => {
  const WRONG: [string[], number, RegExp][] = [
    [['status', ID], EXIT.refused, /There is no such experiment/],
    [['run', 'no.json'], EXIT.usage, /no\.json: ENOENT/],
    [['run', EXAMPLE, '--dryRun'], EXIT.usage, /unknown option/],
    [['status', ID, '--lab', '/nowhere'], EXIT.usage, /no lab is up/],
  ];
  for (const [argv, exitCode, error] of WRONG) {
    test(`also where it goes wrong: holdfast ${argv.join(' ')}`, async () => {
      const type = 'urn:holdfast:problem:experiment-not-found';
      api.answer = () => ({ status: 404, body: { type, title: 'There is no such experiment', status: 404 } });
      const { code, stdout } = await ask(...argv, '--json');
      expect(JSON.parse(stdout)).toEqual({ error: expect.stringMatching(error), exitCode });
      expect(code).toBe(exitCode);
    });
  }
});

test('a file that stands behind --lab is told from its directory', async () => {
  const { code, stderr } = await ask('run', '--lab', EXAMPLE);
  expect(stderr).toContain('--lab takes the word after it as its directory');
  expect(code).toBe(EXIT.usage);
});

test('temporary credentials are sent with their token, and signed', async () => {
  experiment('RUNNING', null);
  await ask('status', ID);
  expect(api.asked[0]?.headers).toMatchObject({
    'x-amz-security-token': 'token',
    authorization: expect.stringMatching(/eu-west-1\/execute-api.*SignedHeaders=[^,]*x-amz-security-token/),
  });
});

test('the stage in the URL takes the place of the one in the paths of the contract', async () => {
  experiment('RUNNING', null);
  for (const [stage, path] of [
    ['', '/api/v1/chaos/experiments/x/status'],
    ['/', '/api/v1/chaos/experiments/x/status'],
    ['/api', '/api/v1/chaos/experiments/x/status'],
    ['/api/', '/api/v1/chaos/experiments/x/status'],
    ['/chaos', '/chaos/v1/chaos/experiments/x/status'],
  ]) {
    api.asked.length = 0;
    await ask('status', 'x', '--url', `${api.url}${stage}`);
    expect(api.asked[0]?.url).toBe(path);
  }
});

describe('run', () => {
  const REFUSED = { type: 'urn:holdfast:problem:cluster-locked', title: 'Another one', status: 409, heldBy: 'exp_0' };
  const ADMITTED = {
    admitted: true,
    experiment: { faults: [] },
    facts: { clusters: [], targets: [{ faultId: 'a', impacted: [] }] },
  };

  /** Not known until it is started; then it runs for some looks, and is over. */
  function deployment(end: [string, string | null], looks = 3) {
    let started = false;
    let aborted = false;
    let left = looks;
    api.answer = ({ method, url, body }) => {
      if (url.endsWith('dryRun=true')) return { body: ADMITTED };
      if (method === 'POST' && url.endsWith('/abort')) {
        aborted = true;
        return { status: 202, body: { experimentId: ID, status: 'ROLLING_BACK', recorded: true } };
      }
      if (method === 'POST') {
        started = JSON.parse(body).experimentId === ID;
        return { status: 202, body: {} };
      }
      if (!started)
        return { status: 404, body: { type: 'urn:holdfast:problem:experiment-not-found', title: '', status: 404 } };
      if (url.endsWith('/status')) return { body: detail(left > 0 ? 'RUNNING' : end[0], null) };
      left -= 1;
      if (left > 0) return { body: detail('RUNNING', null) };
      return { body: aborted ? detail('ABORTED', 'DEVIATED') : detail(...end) };
    };
  }

  test('starts what is admitted, follows it and ends with its outcome; progress is on stderr with --json', async () => {
    deployment(['COMPLETED', 'DEVIATED']);
    const { code, stdout, stderr } = await ask('run', EXAMPLE, '--json');
    expect(code).toBe(EXIT.deviated);
    expect(JSON.parse(stdout)).toMatchObject({ experimentId: ID, status: 'COMPLETED', outcome: 'DEVIATED' });
    expect(stderr).toContain('COMPLETED, outcome DEVIATED');
  });

  test('sends YAML as JSON', async () => {
    deployment(['COMPLETED', 'CONFIRMED']);
    const file = join(directory, 'run.yaml');
    writeFileSync(
      file,
      `experimentId: ${ID}\ntargetService: redis-master\naction: PROCESS_KILL\nparameters: {targetNodes: [n]}\ndurationSeconds: 9\nsafetyThreshold: {maxAlertSeverity: NONE, automaticRollbackOnAlert: true}\n`,
    );
    expect((await ask('run', file)).code).toBe(0);
    const posted = api.asked.filter(({ method }) => method === 'POST').map(({ body }) => JSON.parse(body));
    expect(posted).toEqual([posted[1], expect.objectContaining({ durationSeconds: 9, action: 'PROCESS_KILL' })]);
  });

  test('with --dry-run starts nothing, and hands over the answer', async () => {
    deployment(['COMPLETED', 'CONFIRMED']);
    const { code, stdout } = await ask('run', EXAMPLE, '--dry-run', '--json');
    expect([code, JSON.parse(stdout)]).toEqual([0, ADMITTED]);
    expect(api.asked.map(({ url }) => url)).toEqual(['/api/v1/chaos/experiments?dryRun=true']);
  });

  test('that is refused ends with 2 and says why, as a dry run and as a start', async () => {
    api.answer = ({ method }) => ({ status: method === 'POST' ? 409 : 404, body: REFUSED });
    for (const more of [[], ['--dry-run']]) {
      const { code, stdout } = await ask('run', EXAMPLE, ...more);
      expect(code).toBe(EXIT.refused);
      expect(stdout).toContain('heldBy: exp_0');
      const document = JSON.parse((await ask('run', EXAMPLE, ...more, '--json')).stdout);
      expect(document).toEqual({ experimentId: ID, status: 'REFUSED', problem: REFUSED });
    }
  });

  test('says where in the file stands what the API alone refuses', async () => {
    const errors = [{ field: 'parameters.targetPartitionGroupB', message: 'is not known', allowed: 'a node' }];
    const problem = { type: 'urn:holdfast:problem:unknown-node', title: 'A node', status: 422, errors };
    api.answer = ({ method }) => ({ status: method === 'POST' ? 422 : 404, body: problem });
    for (const more of [[], ['--dry-run']]) {
      const { stdout } = await ask('run', EXAMPLE, ...more);
      expect(stdout).toMatch(/redis-partition\.json:\d+:5: parameters\.targetPartitionGroupB: is not known/);
    }
  });

  test('whose dry run gets an empty answer from a proxy is not called refused, and --json is a document all the same', async () => {
    api.answer = ({ method }) => (method === 'POST' ? { status: 502, text: '' } : { status: 404, body: {} });
    for (const more of [[], ['--dry-run']]) {
      const { code, stdout } = await ask('run', EXAMPLE, ...more, '--json');
      expect(JSON.parse(stdout)).toEqual({ experimentId: ID, status: 'NOT_STARTED', problem: null });
      expect(code).toBe(EXIT.unavailable);
    }
  });

  test('whose user leaves does not wait for an API that answers nothing', async () => {
    deployment(['COMPLETED', 'CONFIRMED'], 1_000);
    const signals = playedSignals();
    const answered = api.answer;
    let looks = 0;
    api.answer = (asked) => {
      if (asked.method === 'GET' && asked.url.endsWith(ID) && ++looks === 2) {
        signals.send('SIGTERM');
        signals.send('SIGTERM');
        return undefined;
      }
      return looks >= 2 ? undefined : answered(asked);
    };
    const { code, stdout } = await holdfast(['run', EXAMPLE], { HOLDFAST_URL: api.url }, { signals });
    expect(code).toBe(EXIT.inconclusive);
    expect(stdout).toContain('Left: the abort was not answered');
    expect(stdout.split('Left:')[1]).not.toContain('could not be asked');
    expect(signals.count()).toBe(0);
  });

  test('of an id that ran before starts nothing and ends with 2', async () => {
    experiment('COMPLETED', 'CONFIRMED');
    const { code, stdout } = await ask('run', EXAMPLE);
    expect(code).toBe(EXIT.refused);
    expect(stdout).toContain('was started before');
    expect(api.asked.filter(({ method }) => method === 'POST')).toEqual([]);
  });

  test('with --no-watch is back when the fault is in place, and says how to watch it', async () => {
    deployment(['COMPLETED', 'CONFIRMED'], 1_000);
    const { code, stdout } = await ask('run', EXAMPLE, '--no-watch');
    expect(code).toBe(EXIT.notOver);
    expect(stdout).toContain(`holdfast watch ${ID}`);
  });

  test('that gets a signal without a terminal is aborted, followed to its end, and ends with 3 whatever was measured', async () => {
    deployment(['COMPLETED', 'CONFIRMED'], 20);
    const signals = playedSignals();
    const before = api.answer;
    let sent = 0;
    api.answer = (asked) => {
      if (asked.method === 'GET' && asked.url.endsWith(ID) && sent++ === 0) signals.send('SIGTERM');
      return before(asked);
    };
    const { code, stdout } = await holdfast(['run', EXAMPLE], { HOLDFAST_URL: api.url }, { signals });
    expect(code).toBe(EXIT.aborted);
    expect(stdout).toContain('ABORTED, outcome DEVIATED');
    expect(api.asked.filter(({ url }) => url.endsWith('/abort'))).toHaveLength(1);
    expect(signals.count()).toBe(0);
  });

  test('that loses the API ends with 5: nobody knows how it ended', async () => {
    deployment(['COMPLETED', 'CONFIRMED'], 1_000);
    const running = api.answer;
    let looks = 0;
    api.answer = (asked) => (asked.url.endsWith(ID) && ++looks > 2 ? { status: 502, body: {} } : running(asked));
    const { code, stdout } = await ask('run', EXAMPLE);
    expect(code).toBe(EXIT.inconclusive);
    expect(stdout).toContain('its end is unknown');
  });
});

test('watch leaves at a signal although the API answers nothing', async () => {
  experiment('RUNNING', null);
  const signals = playedSignals();
  const before = api.answer;
  api.answer = (asked) => {
    if (!asked.url.endsWith(ID)) return before(asked);
    signals.send('SIGINT');
    return undefined;
  };
  const { code, stdout } = await holdfast(['watch', ID], { HOLDFAST_URL: api.url }, { signals });
  expect(code).toBe(EXIT.inconclusive);
  expect(stdout.match(/Left;/g)).toHaveLength(1);
});

test('watch leaves at a signal, and aborts nothing', async () => {
  experiment('RUNNING', null);
  const signals = playedSignals();
  const before = api.answer;
  api.answer = (asked) => {
    if (asked.url.endsWith(ID)) signals.send('SIGINT');
    return before(asked);
  };
  const { code, stdout } = await holdfast(['watch', ID], { HOLDFAST_URL: api.url }, { signals });
  expect(code).toBe(EXIT.inconclusive);
  expect(stdout).toContain(`holdfast abort ${ID}`);
  expect(api.asked.filter(({ method }) => method === 'POST')).toEqual([]);
  expect(signals.count()).toBe(0);
});

describe('abort', () => {
  test('says that it was taken, and when it is not on record', async () => {
    api.answer = () => ({ status: 202, body: { experimentId: ID, status: 'ROLLING_BACK', recorded: false } });
    const { code, stdout } = await ask('abort', ID);
    expect(code).toBe(0);
    expect(stdout).toMatch(/The abort was taken.*\n.*not on record/);
    expect(api.asked).toMatchObject([{ method: 'POST', url: `/api/v1/chaos/experiments/${ID}/abort` }]);
  });

  test('of one that is over says how it ended', async () => {
    api.answer = () => ({ body: { experimentId: ID, status: 'COMPLETED', outcome: 'CONFIRMED' } });
    expect(await ask('abort', ID)).toMatchObject({ code: 0, stdout: `${ID} was over before: COMPLETED, CONFIRMED.\n` });
    api.answer = () => ({ body: { experimentId: ID, status: 'ROLLBACK_FAILED', outcome: 'INCONCLUSIVE' } });
    expect((await ask('abort', ID)).code).toBe(EXIT.rollbackFailed);
  });
});

describe('list', () => {
  test('shows what tells one record from another', async () => {
    const row = { experiment_id: ID, fault_type: 'PROCESS_KILL', injected_at: '2026-05-29', other: 1 };
    api.answer = () => ({ body: { experiments: [row], truncated: true } });
    const { code, stdout } = await ask('list', '--cluster', 'redis-master', '--fault', 'PROCESS_KILL');
    expect(code).toBe(0);
    expect(stdout).toMatch(/experiment_id.*\n2026-05-29 +exp_chaos_redis_019 +PROCESS_KILL/);
    expect(stdout).toContain('more than these 1');
    expect(api.asked[0]?.url).toBe('/api/v1/chaos/experiments?cluster=redis-master&fault=PROCESS_KILL');
  });

  test('of nothing says so', async () => {
    api.answer = () => ({ body: { experiments: [] } });
    expect((await ask('list', '--cluster', 'c')).stdout).toBe('no experiment on c is on record\n');
  });
});

describe('verify', () => {
  const whole = log('ADMITTED', 'INJECTED', 'ROLLED_BACK', 'CONCLUDED');
  const verify = async (timeline: unknown, changes: object = {}) => {
    experiment('COMPLETED', 'CONFIRMED', { timeline, ...changes });
    return ask('verify', ID);
  };

  test('computes each hash itself', async () => {
    const { code, stdout } = await verify(whole);
    expect(code).toBe(0);
    expect(stdout).toContain(`unbroken: 4 entries`);
    expect(stdout).toContain(whole[3]?.hash);
  });

  const [first, second, third, last] = whole;
  const BROKEN: [string, unknown[], number][] = [
    ['changed', [first, { ...second, at: '2020-01-01T00:00:00.000Z' }, third, last], 2],
    ['changed in its details', [first, second, { ...third, details: { nodes: [] } }, last], 3],
    ['given another actor', [{ ...first, actor: { function: 'g' } }, second, third, last], 1],
    ['given a field more', [first, { ...second, more: 1 }, third, last], 2],
    ['missing', [first, third, last], 2],
    ['doubled', [first, second, second, third, last], 3],
    ['moved', [first, third, second, last], 2],
  ];
  for (const [what, timeline, at] of BROKEN) {
    test(`names the entry that was ${what}, although the API says that all is well`, async () => {
      const { code, stdout } = await verify(timeline, { chainVerified: true });
      expect(code).toBe(EXIT.deviated);
      expect(stdout).toContain(`BROKEN at entry ${at} of`);
      expect(stdout).toContain('the API itself says chainVerified: true');
    });
  }

  test("does not take another experiment's whole log for this one's", async () => {
    experiment('COMPLETED', 'CONFIRMED');
    const { code, stdout } = await ask('verify', 'exp_other');
    expect(code).toBe(EXIT.deviated);
    expect(stdout).toContain('BROKEN at entry 1');
  });

  test('does not take a log for whole that has no verdict of an experiment that is over', async () => {
    const { code, stdout } = await verify(whole.slice(0, 3));
    expect(code).toBe(EXIT.deviated);
    expect(stdout).toContain('its verdict (CONCLUDED) is not in the log');
  });

  test('of one that still runs says that the end is not there yet', async () => {
    experiment('RUNNING', null, { timeline: whole.slice(0, 3) });
    const { code, stdout } = await ask('verify', ID);
    expect(code).toBe(EXIT.notOver);
    expect(stdout).toContain('it has no CONCLUDED');
  });

  test('does not verify what the API itself says is broken', async () => {
    experiment('COMPLETED', 'CONFIRMED', { timeline: whole, chainVerified: false });
    const { code, stdout, stderr } = await ask('verify', ID, '--json');
    expect(code).toBe(EXIT.deviated);
    expect(JSON.parse(stdout)).toMatchObject({ verified: false, apiSays: false });
    expect(stderr).toContain('the API itself says chainVerified: false');
  });

  test('takes a log for whole that has what a probe wrote behind the verdict', async () => {
    const { code, stdout } = await verify(log('ADMITTED', 'CONCLUDED', 'PROBE_MEASURED'));
    expect(code).toBe(0);
    expect(stdout).not.toContain('CONCLUDED');
  });
});
