import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, createServer, type Server } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Credentials } from '../../../lab/aws/protocol/principal.ts';
import { readModels } from '../../../lab/aws/referee/model.ts';
import { createSystem, type System } from '../../../lab/aws/system.ts';
import { resolveTemplate } from '../../../lab/aws/template/template.ts';
import { FLEET_HOSTS } from '../../../lab/fleet/fleet.ts';
import { LAB_PACKAGES, pythonPackages } from '../../../lab/shared/python-packages.ts';
import { ACCOUNT_ID, REGION, WORKSPACE_ID } from '../../../lab/shared/topology.ts';
import { TEMPLATE } from './fixture-template.ts';

export const PLACE = { accountId: ACCOUNT_ID, region: REGION, stackName: 'Test' };
/** Whoever calls from here is in the VPC. */
export const VPC_ADDRESSES = { functions: ['127.0.0.2'], hosts: ['127.0.0.3'] };
export const AGENT_TOKEN = 'token-of-the-test';
const [host] = FLEET_HOSTS;
if (host === undefined) throw new Error('the fleet has no host');
export const HOST = host;

const [KEY_ARN, OTHER_KEY_ARN] = ['mine', 'other'].map((key) => `arn:aws:kms:${REGION}:${ACCOUNT_ID}:key/${key}`);
/** Name → what Secrets Manager holds. */
export const SECRETS = {
  redis: { text: '{"username":"holdfast","password":"x"}' },
  'redis-own-key': { text: 'x', keyArn: KEY_ARN },
  'redis-other-key': { text: 'x', keyArn: OTHER_KEY_ARN },
};

/** The functions of the fixture, one file, one export each: `index.mjs`. */
const CODE = `
export const echo = async (event) => event;
export const api = async (event) => ({ statusCode: 202, body: JSON.stringify({ who: event.requestContext.identity.userArn, requestId: event.requestContext.requestId, id: event.pathParameters?.id, body: event.body }) });
export const fail = async () => { const error = new Error('p99 above 200 ms'); error.name = 'GuardrailBreached'; throw error; };
export const crash = async () => { process.kill(process.pid, 'SIGKILL'); await new Promise(() => {}); };
export const hang = async () => new Promise((resolve) => setTimeout(resolve, 60000));
export const pid = async () => process.pid;
export const environment = async () => process.env;
export const custom = async (event) => {
  await fetch(event.ResponseURL, { method: 'PUT', body: JSON.stringify({ Status: 'SUCCESS', PhysicalResourceId: 'x', Data: {} }) });
};
`;

export interface Lab {
  system: System;
  endpoint: string;
  directory: string;
  caFile: string;
  client(credentials: Credentials): object;
  /** What AWS would not have known so far, and forgets it: for a test that provokes it. */
  takeViolations(): string[];
  /** @throws Error for a request or an answer that AWS would not have known. */
  stop(): void;
}

/** What was done to the hosts, in its order: the stand-ins decide, the hosts are not there. */
export const powerLog: string[] = [];
const power = {
  async stop({ name }: { name: string }) {
    powerLog.push(`stop ${name}`);
  },
  async start({ name }: { name: string }) {
    powerLog.push(`start ${name}`);
  },
};

/** The whole stand-in behind TLS on a random loopback port. @param prometheusPort of the one that stands for its workspace */
export async function startLab(nowMs: () => number = Date.now, prometheusPort = 0): Promise<Lab> {
  const directory = mkdtempSync(join(tmpdir(), 'lab-aws-'));
  const [code, key, caFile] = [join(directory, 'code'), join(directory, 'server.key'), join(directory, 'server.pem')];
  mkdirSync(code);
  writeFileSync(join(code, 'index.mjs'), CODE);
  writeFileSync(join(directory, 'secrets.json'), JSON.stringify(SECRETS));
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '2',
      '-keyout',
      key,
      '-out',
      caFile,
      ...subject,
    ],
    { stdio: 'ignore' },
  );
  // Commands that leave a trace in the place of those that enter a network namespace.
  const enter = (place: string): string[] => ['env', `VPC_OF_THE_TEST=${place}`];
  const networks = { enterVpc: enter('inside'), enterWithoutVpc: enter('outside') };
  const seam = { endpoint: '', caFile, logDirectory: join(directory, 'log'), ...networks };
  const violations: string[] = [];
  let handle: System['front'] | undefined;
  const server: Server = createServer({ key: readFileSync(key), cert: readFileSync(caFile) }, (request, response) =>
    handle?.(request, response),
  );
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  const endpoint = `https://localhost:${typeof address === 'object' && address !== null ? address.port : 0}`;
  const system = createSystem({
    template: resolveTemplate(TEMPLATE, PLACE, new Map([['code.zip', code]])),
    seam: { ...seam, endpoint },
    hosts: FLEET_HOSTS,
    power,
    agentTokens: new Map([[HOST.instanceId, AGENT_TOKEN]]),
    secretsFile: join(directory, 'secrets.json'),
    workspaces: new Map([[WORKSPACE_ID, `http://127.0.0.1:${prometheusPort}`]]),
    objectsDirectory: join(directory, 's3'),
    models: readModels(pythonPackages(LAB_PACKAGES)),
    vpcAddresses: VPC_ADDRESSES,
    onViolation: (violation) => violations.push(violation),
    nowMs,
  });
  handle = system.front;
  await system.createTables();
  await system.deploy();
  const httpsAgent = new Agent({ ca: readFileSync(caFile), keepAlive: true });
  return {
    system,
    endpoint,
    directory,
    caFile,
    client: (credentials) => ({
      endpoint,
      region: REGION,
      credentials,
      maxAttempts: 1,
      requestHandler: { httpsAgent },
    }),
    takeViolations: () => violations.splice(0),
    stop() {
      system.stop();
      httpsAgent.destroy();
      server.closeAllConnections();
      server.close();
      rmSync(directory, { recursive: true, force: true });
      if (violations.length > 0) throw new Error(violations.join('\n'));
    },
  };
}

/** Waits for a condition; fails with its last error or value after `seconds`. */
export async function eventually<T>(seconds: number, check: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const deadlineMs = Date.now() + seconds * 1000;
  for (;;) {
    const value = await check();
    if (value !== undefined) return value;
    if (Date.now() > deadlineMs) throw new Error(`not within ${seconds} s`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

/** Credentials of a session of the fixture's function role. */
export function functionCredentials(lab: Lab): Credentials {
  return lab.system.credentials.mintSession(lab.system.lambda.find('Test-Echo').principal);
}
