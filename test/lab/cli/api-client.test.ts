import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ApiClient, createApiClient, EXPERIMENTS_PATH } from '../../../cli/api-client.ts';
import { CredentialStore } from '../../../lab/aws/iam/principals.ts';
import { verifySignature } from '../../../lab/aws/protocol/signature.ts';
import { createCertificates } from '../../../lab/runtime/certificates.ts';
import { LAB_FILES } from '../../../lab/shared/files.ts';
import { REGION } from '../../../lab/shared/topology.ts';

const directory = mkdtempSync(join(tmpdir(), 'holdfast-api-client-'));
const store = new CredentialStore();
const principal = { arn: 'arn:aws:iam::1:user/u', identityArn: 'arn:aws:iam::1:user/u', name: 'u', policies: [] };
const user = store.mintUser(principal);
let base = '';
let client: ApiClient;

/** Verifies as the lab's AWS side does, then tells what arrived. */
const server = () =>
  createServer(
    {
      key: readFileSync(join(directory, LAB_FILES.serverKey)),
      cert: readFileSync(join(directory, LAB_FILES.serverCertificate)),
    },
    (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks);
        const { method = '', url = '' } = request;
        const headers = Object.fromEntries(
          Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
        );
        try {
          const wire = { method, url, headers, body, sourceIp: '127.0.0.1' };
          const { service } = verifySignature(wire, store, REGION, Date.now());
          response.end(JSON.stringify({ service, method, url, body: body.toString('utf8') }));
        } catch (error) {
          response.writeHead(403).end(JSON.stringify({ message: String(error) }));
        }
      });
    },
  );

let running: ReturnType<typeof server>;
beforeAll(async () => {
  createCertificates(directory);
  running = server();
  running.listen(0, '127.0.0.1');
  await once(running, 'listening');
  base = `https://127.0.0.1:${(running.address() as AddressInfo).port}`;
  client = connect(user.secretAccessKey);
});
afterAll(() => {
  client.close();
  running.closeAllConnections();
  running.close();
  rmSync(directory, { recursive: true });
});

function connect(secretAccessKey: string): ApiClient {
  const caFile = join(directory, LAB_FILES.caFile);
  return createApiClient({
    apiUrl: base,
    caFile,
    region: REGION,
    credentials: { accessKeyId: user.accessKeyId, secretAccessKey },
  });
}

test('sends the payload byte for byte, signed so that the AWS side accepts it', async () => {
  const payload = '{ "experimentId" : "exp_ü" }\n';
  expect(await client.call('POST', `${EXPERIMENTS_PATH}?dryRun=true`, payload)).toEqual({
    status: 200,
    body: { service: 'execute-api', method: 'POST', url: `${EXPERIMENTS_PATH}?dryRun=true`, body: payload },
  });
  expect((await client.call('GET', `${EXPERIMENTS_PATH}/exp_1/status`)).status).toBe(200);
  expect((await client.call('GET', `${EXPERIMENTS_PATH}?cluster=redis-master&fault=NETWORK_PARTITION`)).status).toBe(
    200,
  );
});

test('a wrong key is answered, not thrown: refusals are answers', async () => {
  const stranger = connect('wrong');
  expect((await stranger.call('GET', EXPERIMENTS_PATH)).status).toBe(403);
  stranger.close();
});

test('temporary credentials are accepted with their token, and not without', async () => {
  const { sessionToken, ...keys } = store.mintSession(principal);
  const caFile = join(directory, LAB_FILES.caFile);
  const temporary = createApiClient({ apiUrl: base, caFile, region: REGION, credentials: { ...keys, sessionToken } });
  expect((await temporary.call('GET', EXPERIMENTS_PATH)).status).toBe(200);
  temporary.close();
  const without = createApiClient({ apiUrl: base, caFile, region: REGION, credentials: keys });
  expect((await without.call('GET', EXPERIMENTS_PATH)).status).toBe(403);
  without.close();
});

test('a certificate that is not of the trusted authority is refused', async () => {
  const { accessKeyId, secretAccessKey } = user;
  const credentials = { accessKeyId, secretAccessKey };
  const trusting = createApiClient({ apiUrl: base, region: REGION, credentials });
  await expect(trusting.call('GET', EXPERIMENTS_PATH)).rejects.toThrow(/certificate/);
  trusting.close();
});
