import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request as httpRequest, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { asker } from '../../../functions/aws/open-telemetry.ts';
import { systemClock } from '../../../functions/runtime/system-clock.ts';
import { PrometheusClient } from '../../../functions/telemetry/prometheus.ts';
import { createAuthority } from '../../../lab/shared/authority.ts';
import { OWN_FILES } from '../../../lab/shared/files.ts';
import { REGION, WORKSPACE_ID } from '../../../lab/shared/topology.ts';
import { waitFor } from '../../../lab/shared/wait-for.ts';
import { freePort, listening } from '../../functions/listening.ts';
import { functionCredentials, type Lab, startLab } from '../aws/fixture.ts';

type Access = Parameters<typeof asker>[0];

const directory = mkdtempSync(join(tmpdir(), 'prometheus-'));
const path = (name: string) => join(directory, name);
const children: ChildProcess[] = [];
const secrets = mockClient(SecretsManagerClient);
/** Of the password `test`, cost 12. */
const HASH = '$2b$12$hNf2lSsxfm0.i4a.1kVpSOVyBCfIB51VRjgBUyv6kdnyTlgWj81Ay';

beforeAll(() => {
  mkdirSync(path(OWN_FILES.tls));
  const signed = (name: string, usage: string) => ({
    ...{ certificate: path(`${name}.pem`), key: path(`${name}.key`), commonName: name, usage },
    subjectAltName: 'IP:127.0.0.1',
  });
  const both = [signed('server', 'serverAuth'), signed('client', 'clientAuth')];
  createAuthority(directory, path('ca.pem'), 'ours', both);
  createAuthority(directory, path('other-ca.pem'), 'of somebody else', [signed('stranger', 'clientAuth')]);
  vi.stubEnv('LAMBDA_TASK_ROOT', directory);
});
beforeEach(() => secrets.reset());
afterAll(async () => {
  for (const child of children) {
    if (child.exitCode !== null) continue;
    child.kill();
    await once(child, 'exit');
  }
  secrets.restore();
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true, force: true });
});

/** A real Prometheus. @returns its port */
async function startPrometheus(name: string, web: object): Promise<number> {
  const port = await freePort();
  writeFileSync(path(`${name}.yml`), '{}');
  writeFileSync(path(`${name}-web.yml`), JSON.stringify(web));
  const child = spawn(
    'prometheus',
    [
      ...[`--config.file=${path(`${name}.yml`)}`, `--web.config.file=${path(`${name}-web.yml`)}`],
      ...[`--storage.tsdb.path=${path(`${name}-data`)}`, `--web.listen-address=127.0.0.1:${port}`, '--log.level=error'],
    ],
    { stdio: 'ignore' },
  );
  children.push(child);
  return port;
}
const hold = (name: string, value: object) =>
  secrets.on(GetSecretValueCommand, { SecretId: name }).resolves({ SecretString: JSON.stringify(value) });
const opened = (url: string, access: Access) =>
  new PrometheusClient(url, systemClock, asker(access, new SecretsManagerClient({ region: REGION })));
const answerOf = (url: string, access: Access) => opened(url, access).instant('1 + 1').catch(String);
const NOT_ACCEPTED = expect.stringMatching(/^Error: Prometheus answers HTTP 40[13]: it does not accept who asks/);
/** Until it listens, whatever it says. */
const waitUntilUp = (url: string, access: Access) =>
  waitFor('Prometheus', 30, async () => {
    const value = await answerOf(url, access);
    return value === 2 ? undefined : String(value);
  });

describe('a Prometheus behind basic auth', () => {
  const access: Access = { auth: { basic: { secretName: 'basic' } } };
  let url: string;
  beforeAll(async () => {
    url = `http://127.0.0.1:${await startPrometheus('basic', { basic_auth_users: { holdfast: HASH } })}`;
  });
  beforeEach(() => hold('basic', { username: 'holdfast', password: 'test' }));

  it('is read with the password of the secret, by twelve queries at once from the first on', async () => {
    await waitUntilUp(url, access);
    const prometheus = opened(url, access);
    const values = Array.from({ length: 12 }, (_, index) => prometheus.instant(`${index} + 1`));
    expect(await Promise.all(values)).toEqual(values.map((_, index) => index + 1));
  });

  it('says nothing to another password, or to none', async () => {
    await waitUntilUp(url, access);
    expect(await answerOf(url, {})).toEqual(NOT_ACCEPTED);
    hold('basic', { username: 'holdfast', password: 'hunter2' });
    expect(await answerOf(url, access)).toEqual(NOT_ACCEPTED);
  });
});

describe('a Prometheus that demands a certificate, with one of an authority of its own', () => {
  const access: Access = { tls: { caFile: 'ca.pem' }, auth: { clientCertificate: { secretName: 'client' } } };
  const identity = (name: string) => ({
    certificate: readFileSync(path(`${name}.pem`), 'utf8'),
    key: readFileSync(path(`${name}.key`), 'utf8'),
  });
  let url: string;
  beforeAll(async () => {
    const tls = { cert_file: path('server.pem'), key_file: path('server.key'), client_ca_file: path('ca.pem') };
    const web = { tls_server_config: { ...tls, client_auth_type: 'RequireAndVerifyClientCert' } };
    url = `https://127.0.0.1:${await startPrometheus('mutual', web)}`;
    hold('client', identity('client'));
    await waitUntilUp(url, access);
  });
  beforeEach(() => hold('client', identity('client')));

  it('is read with ours', async () => {
    expect(await answerOf(url, access)).toBe(2);
  });

  it('says nothing to one of another authority, or to none, in words that name the field', async () => {
    hold('client', identity('stranger'));
    expect(await answerOf(url, access)).toMatch(/clientCertificate/);
    expect(await answerOf(url, { tls: { caFile: 'ca.pem' } })).toMatch(/clientCertificate/);
  });

  it('is not believed where its authority is not the one that is trusted', async () => {
    expect(await answerOf(url, { ...access, tls: { caFile: 'other-ca.pem' } })).toMatch(/caSecret, caFile/);
    expect(await answerOf(url, { auth: access.auth })).toMatch(/caSecret, caFile/);
  });
});

describe('a Prometheus behind a front', () => {
  let prometheusPort: number;
  beforeAll(async () => {
    prometheusPort = await startPrometheus('open', {});
    await waitUntilUp(`http://127.0.0.1:${prometheusPort}`, {});
  });

  describe('that wants a bearer token', () => {
    const access: Access = { auth: { bearer: { secretName: 'bearer' } } };
    let front: Server;
    let url: string;
    beforeAll(async () => {
      front = createServer((incoming, response) => {
        if (incoming.headers.authorization !== 'Bearer right') return void response.writeHead(401).end('no');
        httpRequest({ host: '127.0.0.1', port: prometheusPort, path: incoming.url }, (answer) => {
          response.writeHead(answer.statusCode ?? 502);
          answer.pipe(response);
        }).end();
      });
      url = `http://127.0.0.1:${await listening(front)}`;
    });
    afterAll(() => {
      front.closeAllConnections();
      front.close();
    });

    it('is read with the right one, and says nothing to another', async () => {
      hold('bearer', { token: 'right' });
      expect(await answerOf(url, access)).toBe(2);
      hold('bearer', { token: 'wrong' });
      expect(await answerOf(url, access)).toEqual(NOT_ACCEPTED);
    });
  });

  describe('that is AMP', () => {
    const access = (region = REGION): Access => ({ auth: { sigV4: { region } }, tls: { caFile: 'server.pem' } });
    let lab: Lab;
    let url: string;
    beforeAll(async () => {
      lab = await startLab(Date.now, prometheusPort);
      url = `${lab.endpoint}/workspaces/${WORKSPACE_ID}`;
      vi.stubEnv('LAMBDA_TASK_ROOT', lab.directory);
    }, 60_000);
    afterAll(() => lab.stop());
    const signAs = ({ accessKeyId, secretAccessKey, sessionToken = '' }: Lab['system']['operator']) => {
      vi.stubEnv('AWS_ACCESS_KEY_ID', accessKeyId);
      vi.stubEnv('AWS_SECRET_ACCESS_KEY', secretAccessKey);
      vi.stubEnv('AWS_SESSION_TOKEN', sessionToken);
    };

    it('is read under the signature of whoever may query it, whatever is in the query', async () => {
      signAs(lab.system.administrator);
      const prometheus = opened(url, access());
      expect(await prometheus.instant(`count(label_replace(vector(1), "a", "b c+d*e'(!)~/ä", "", "")) + 1`)).toBe(2);
      expect(await prometheus.range('vector(1)', 5)).toEqual(expect.arrayContaining([1]));
      expect(await prometheus.alertProblem('Down')).toBe('Prometheus has no alerting rule Down');
    });

    it('says nothing to a role without the right, a wrong key, or a signature for another Region', async () => {
      signAs(functionCredentials(lab));
      expect(await answerOf(url, access())).toEqual(NOT_ACCEPTED);
      signAs({ ...lab.system.administrator, secretAccessKey: 'hunter2' });
      expect(await answerOf(url, access())).toEqual(NOT_ACCEPTED);
      signAs(lab.system.administrator);
      expect(await answerOf(url, access('us-east-1'))).toEqual(NOT_ACCEPTED);
      expect(await answerOf(url, { tls: { caFile: 'server.pem' } })).toEqual(NOT_ACCEPTED);
    });

    it('knows no workspace but its own', async () => {
      signAs(lab.system.administrator);
      expect(await answerOf(url.replace(/ws-.*/, 'ws-other'), access())).toBe('Error: Prometheus answers HTTP 404');
    });
  });
});
