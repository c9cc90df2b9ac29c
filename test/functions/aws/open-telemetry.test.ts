import { createServer, type IncomingMessage, type Server } from 'node:http';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { asker, telemetryOpener } from '../../../functions/aws/open-telemetry.ts';
import { telemetrySchema } from '../../../functions/domain/telemetry.ts';
import { systemClock } from '../../../functions/runtime/system-clock.ts';
import { PrometheusClient } from '../../../functions/telemetry/prometheus.ts';
import { listening } from '../listening.ts';

const secrets = mockClient(SecretsManagerClient);
let server: Server;
let url: string;
let asked: IncomingMessage['headers'][];
let answer: (headers: IncomingMessage['headers']) => { status: number; body: string };

beforeEach(async () => {
  vi.stubEnv('AWS_REGION', 'eu-west-1');
  secrets.reset();
  asked = [];
  answer = () => ({
    status: 200,
    body: JSON.stringify({ status: 'success', data: { resultType: 'scalar', result: [Date.now() / 1000, '5'] } }),
  });
  server = createServer((request, response) => {
    asked.push(request.headers);
    const { status, body } = answer(request.headers);
    response.writeHead(status).end(body);
  });
  url = `http://127.0.0.1:${await listening(server)}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
afterAll(() => {
  secrets.restore();
  vi.unstubAllEnvs();
});

const hold = (name: string, SecretString: string) =>
  secrets.on(GetSecretValueCommand, { SecretId: name }).resolves({ SecretString });
const BASIC = { basic: { secretName: 'basic' } };
const BEARER = { bearer: { secretName: 'bearer' } };
const opened = (auth: Parameters<typeof asker>[0]['auth']) =>
  new PrometheusClient(url, systemClock, asker({ auth }, new SecretsManagerClient({ region: 'eu-west-1' })));
const refusalOf = (auth: Parameters<typeof opened>[0]) => opened(auth).instant('up').catch(String);

describe('a Prometheus that wants to know who asks', () => {
  it('is told name and password of the secret', async () => {
    hold('basic', '{"username":"holdfast","password":"p:ä"}');
    expect(await opened(BASIC).instant('up')).toBe(5);
    const expected = `Basic ${Buffer.from('holdfast:p:ä').toString('base64')}`;
    expect(new Set(asked.map(({ authorization }) => authorization))).toEqual(new Set([expected]));
  });

  it('is told the token of the secret', async () => {
    hold('bearer', '{"token":"abc.DEF-1=="}');
    expect(await opened(BEARER).instant('up')).toBe(5);
    expect(asked.at(-1)?.authorization).toBe('Bearer abc.DEF-1==');
  });

  it('is told nothing where it answers everybody, and no secret is read', async () => {
    expect(await opened(undefined).instant('up')).toBe(5);
    expect(asked.map(({ authorization }) => authorization)).toEqual([undefined]);
    expect(secrets.calls()).toEqual([]);
  });

  it('is asked by all queries of a run with the same credentials, which are read once', async () => {
    hold('bearer', '{"token":"t"}');
    const open = telemetryOpener();
    const telemetry = telemetrySchema.parse({ prometheusUrl: url, auth: BEARER });
    const one = open({ telemetry });
    const other = open({ telemetry });
    await Promise.all([one.instant('a'), one.instant('b'), other.instant('a')]);
    await other.instant('c');
    expect(secrets.calls()).toHaveLength(1);
    await telemetryOpener()({ telemetry }).instant('a');
    expect(secrets.calls()).toHaveLength(2);
  });

  it('is asked with the secret of the next try when one could not be read', async () => {
    secrets.on(GetSecretValueCommand).rejectsOnce(new Error('throttled')).resolves({ SecretString: '{"token":"t"}' });
    const prometheus = opened(BEARER);
    await expect(prometheus.instant('up')).rejects.toThrow('throttled');
    expect(await prometheus.instant('up')).toBe(5);
  });

  it.each([
    ['basic', BASIC, 'hunter2'],
    ['basic', BASIC, '{"username":"a:b","password":"hunter2"}'],
    ['basic', BASIC, '{"username":"a","password":"hunter2\\r\\nx: y"}'],
    ['bearer', BEARER, '{"token":"hunter2\\nx: y"}'],
    ['bearer', BEARER, 'hunter2'],
  ] as const)(
    'is asked nothing with a secret %s that cannot be sent, which is not repeated',
    async (name, auth, text) => {
      hold(name, text);
      const refusal = await refusalOf(auth);
      expect(refusal).toMatch(new RegExp(`secret ${name}: must be JSON \\{`));
      expect(refusal).not.toContain('hunter2');
      expect(asked).toEqual([]);
    },
  );

  it.each([401, 403])(
    'says with HTTP %d that nothing is known, and no credential is told to anybody',
    async (status) => {
      hold('bearer', '{"token":"hunter2"}');
      answer = ({ authorization }) => ({ status, body: `you sent ${authorization}` });
      const refusal = await refusalOf(BEARER);
      expect(refusal).toBe(`Error: Prometheus answers HTTP ${status}: it does not accept who asks (telemetry.auth)`);
    },
  );

  it('is quoted with its own words alone: whoever stands before it might say what was sent', async () => {
    hold('bearer', '{"token":"hunter2"}');
    answer = ({ authorization }) => ({ status: 502, body: `<p>${authorization}</p>` });
    expect(await refusalOf(BEARER)).toBe('Error: Prometheus answers HTTP 502');
    answer = ({ authorization }) => ({ status: 200, body: `<p>${authorization}</p>` });
    expect(await refusalOf(BEARER)).toBe('Error: the answer is no JSON');
    answer = () => ({ status: 400, body: '{"status":"error","error":"parse error: unexpected end"}' });
    expect(await refusalOf(BEARER)).toBe('Error: Prometheus answers HTTP 400: parse error: unexpected end');
  });

  it('does not lead our credentials elsewhere by a redirect', async () => {
    hold('bearer', '{"token":"hunter2"}');
    let redirected = false;
    const elsewhere = createServer((_request, response) => {
      redirected = true;
      response.end();
    });
    const port = await listening(elsewhere);
    server.removeAllListeners('request').on('request', (_request, response) => {
      response.writeHead(302, { location: `http://127.0.0.1:${port}/` }).end();
    });
    expect(await refusalOf(BEARER)).toBe('Error: Prometheus answers HTTP 302');
    expect(redirected).toBe(false);
    elsewhere.close();
  });
});

describe('a workspace of AMP', () => {
  it('is asked under a signature of the role for its service and Region, over the query as it is sent', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
    vi.stubEnv('AWS_SESSION_TOKEN', 'token');
    await opened({ sigV4: { region: 'us-east-1' } }).instant('sum(rate(a{b=~"5.."}[5s])) * 2 + 1');
    const { authorization, 'x-amz-security-token': token } = asked.at(-1) ?? {};
    expect(authorization).toMatch(/^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/us-east-1\/aps\/aws4_request, /);
    expect(token).toBe('token');
  });
});
