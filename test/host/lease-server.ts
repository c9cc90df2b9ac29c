import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:https';
import { createInterface } from 'node:readline';
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { ADDRESS } from './wire.ts';

/**
 * The AWS side of all hosts of a test process, as a program of its own: `lease-server.ts <directory of the certificate>`;
 * aws-side.ts starts it. In `lease.json` of a host's directory the test says what the table holds; every request reads it
 * again. Requests that are not signed as AWS demands, or that do not ask for a consistent read of both rows, are answered
 * 400.
 */
export interface LeaseScript {
  instanceId: string;
  table: string;
  experimentId: string;
  state: 'HOLD' | 'RELEASED';
  global: 'HOLD' | 'RELEASED' | 'MISSING';
  grants: string[];
  /** `frozen`: the rows stay as they are; `hang`: no answer; `error`: 500. */
  mode: 'advancing' | 'frozen' | 'hang' | 'error';
  /** How far the clock of AWS is ahead of the host's. */
  clockSkewSeconds: number;
}

const SECRET = 'secret/of+the+test';
const TOKEN = 'session-token';

/** What this program is told, one JSON text a line: where a host looks for AWS, and that it does no more. */
export type LeaseServerOrder = { directory: string; namespace: string } | { stop: string };

interface Serving {
  stop(): void;
}

/** The two servers of one host, on Unix sockets in its directory. */
async function serve(directory: string, certificate: { cert: Buffer; key: Buffer }): Promise<Serving> {
  let beat = 5;
  let frozenBeat: number | undefined;
  const beating = setInterval(() => {
    beat += 1;
  }, 200);

  const server = createServer({ ...certificate, keepAliveTimeout: 60_000 }, async (request, response) => {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return; // it was cut off
    }
    const body = Buffer.concat(chunks).toString();
    const script = readScript(directory);
    if (!script) return void response.destroy();
    if (script.mode === 'hang') return;
    if (script.mode === 'error') return void response.writeHead(500).end('{}');
    const nowMs = Date.now() + script.clockSkewSeconds * 1000;
    response.setHeader('date', new Date(nowMs).toUTCString());
    const problem = await findProblem(request.headers, body, script.table, nowMs);
    if (problem) return void response.writeHead(400).end(problem);
    frozenBeat = script.mode === 'frozen' ? (frozenBeat ?? beat) : undefined;
    const rows: unknown[] = [
      {
        leaseId: { S: script.experimentId },
        state: { S: script.state },
        beat: { N: String(frozenBeat ?? beat) },
        ...(script.grants.length > 0 ? { grants: { SS: script.grants } } : {}),
      },
    ];
    if (script.global !== 'MISSING') rows.push({ leaseId: { S: 'GLOBAL' }, state: { S: script.global } });
    response.writeHead(200).end(JSON.stringify({ Responses: { [script.table]: rows }, UnprocessedKeys: {} }));
  });
  await new Promise<void>((resolve) => server.listen(socketPaths(directory).table, resolve));

  const metadata = createHttpServer((request, response) => {
    if (request.method === 'PUT') return void response.end('imds-token');
    if (request.headers['x-aws-ec2-metadata-token'] !== 'imds-token') return void response.writeHead(401).end();
    const script = readScript(directory);
    if (!script) return void response.destroy();
    const answers: Record<string, string> = {
      '/latest/meta-data/instance-id': script.instanceId,
      '/latest/meta-data/placement/region': 'eu-west-1',
      '/latest/meta-data/iam/security-credentials/': 'host-role',
      '/latest/meta-data/iam/security-credentials/host-role': JSON.stringify({
        AccessKeyId: 'ASIATEST',
        SecretAccessKey: SECRET,
        Token: TOKEN,
        Expiration: new Date(Date.now() + 3_600_000).toISOString().replace(/\.\d+/, ''),
      }),
    };
    const answer = answers[request.url ?? ''];
    response.writeHead(answer ? 200 : 404).end(answer ?? '');
  });
  await new Promise<void>((resolve) => metadata.listen(socketPaths(directory).metadata, resolve));
  return {
    stop: () => {
      clearInterval(beating);
      for (const each of [server, metadata]) {
        each.close();
        each.closeAllConnections();
      }
    },
  };
}

/** @returns undefined for the last requests of a host whose directory is gone. */
function readScript(directory: string): LeaseScript | undefined {
  try {
    return JSON.parse(readFileSync(`${directory}/lease.json`, 'utf8')) as LeaseScript;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function socketPaths(directory: string): { table: string; metadata: string } {
  return { table: `${directory}/table.sock`, metadata: `${directory}/metadata.sock` };
}

/** Orders come on stdin; `ready DIRECTORY` is said when a host's AWS side answers. Ends with its input. */
function main(certificateDirectory: string): void {
  const certificate = {
    cert: readFileSync(`${certificateDirectory}/server.pem`),
    key: readFileSync(`${certificateDirectory}/server.key`),
  };
  const relay = spawn('/usr/bin/python3', ['-B', new URL('netns_relay.py', import.meta.url).pathname], {
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  relay.once('exit', (code) => process.exit(code ?? 1));
  const tell = (message: object) => relay.stdin.write(`${JSON.stringify(message)}\n`);
  const serving = new Map<string, Serving>();
  const orders = createInterface({ input: process.stdin });
  orders.on('line', async (line) => {
    const order = JSON.parse(line) as LeaseServerOrder;
    if ('stop' in order) {
      tell({ close: order.stop });
      serving.get(order.stop)?.stop();
      serving.delete(order.stop);
      return;
    }
    const { directory, namespace } = order;
    serving.set(directory, await serve(directory, certificate));
    const { table, metadata } = socketPaths(directory);
    tell({ id: directory, namespace, address: ADDRESS.aws, ports: { 443: table, 80: metadata } });
  });
  orders.once('close', () => process.exit(0));
}

async function findProblem(
  headers: NodeJS.Dict<string | string[]>,
  body: string,
  table: string,
  nowMs: number,
): Promise<string | undefined> {
  const tables = JSON.parse(body).RequestItems as Record<string, { ConsistentRead?: boolean; Keys: unknown[] }>;
  const items = Object.values(tables);
  if (!(table in tables)) return `no table but ${table}`;
  if (items.length !== 1 || items[0]?.ConsistentRead !== true || items[0].Keys.length !== 2) return 'not consistent';
  const names = /SignedHeaders=([^,]+)/.exec(String(headers.authorization))?.[1]?.split(';') ?? [];
  const date = String(headers['x-amz-date']);
  const iso = date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z');
  if (Math.abs(Date.parse(iso) - nowMs) > 300_000) return 'signature too old';
  const signer = new SignatureV4({
    service: 'dynamodb',
    region: 'eu-west-1',
    credentials: { accessKeyId: 'ASIATEST', secretAccessKey: SECRET, sessionToken: TOKEN },
    sha256: Sha256,
    applyChecksum: false,
  });
  const signed = await signer.sign(
    {
      method: 'POST',
      protocol: 'https:',
      hostname: '10.99.0.4',
      path: '/',
      headers: Object.fromEntries(
        names.filter((name) => !name.startsWith('x-amz-date')).map((name) => [name, String(headers[name])]),
      ),
      body,
    },
    { signingDate: new Date(iso) },
  );
  return signed.headers.authorization === headers.authorization ? undefined : 'bad signature';
}

const directory = process.argv[2];
if (directory) main(directory);
