import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { json } from 'node:stream/consumers';
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CANARY_NODES, EXPERIMENTS_PATH, partition, SystemUnderTest } from './harness.ts';

interface Problem {
  type: string;
  status: number;
  detail: string;
  errors?: { field: string; message: string; allowed?: unknown }[];
}

const valid = partition('refused_example', 'redis-node-3', CANARY_NODES);

/** What is wrong with a payload, and the field and status the API must answer with. */
const BAD_PAYLOADS: [string, unknown, number, string][] = [
  ['an unknown field', { ...valid, colour: 'red' }, 400, 'colour'],
  ['a wrong type', { ...valid, durationSeconds: '60' }, 400, 'durationSeconds'],
  ['a TTL of 0', { ...valid, durationSeconds: 0 }, 400, 'durationSeconds'],
  ['a TTL above the maximum', { ...valid, durationSeconds: 601 }, 400, 'durationSeconds'],
  ['an id with a slash', { ...valid, experimentId: '../x' }, 400, 'experimentId'],
  ['an id of 51 characters', { ...valid, experimentId: 'x'.repeat(51) }, 400, 'experimentId'],
  ['an unknown action', { ...valid, action: 'METEOR' }, 400, 'action'],
  ['a percentage above 100', withParameters({ packetLossPct: 101 }), 400, 'parameters.packetLossPct'],
  ['an empty group', withParameters({ targetPartitionGroupB: [] }), 400, 'parameters.targetPartitionGroupB'],
  [
    'overlapping groups',
    withParameters({ targetPartitionGroupB: ['redis-node-1'] }),
    400,
    'parameters.targetPartitionGroupB',
  ],
  [
    'shell metacharacters in a node name',
    withParameters({ targetPartitionGroupB: ['redis-node-3; touch /tmp/owned'] }),
    400,
    'parameters.targetPartitionGroupB.0',
  ],
  ['an unknown cluster', { ...valid, targetService: 'redis-nobody' }, 422, 'targetService'],
  ['an unknown node', withParameters({ targetPartitionGroupB: ['redis-node-99'] }), 422, 'redis-node-99'],
];

function withParameters(parameters: Record<string, unknown>) {
  return { ...valid, parameters: { ...valid.parameters, ...parameters } };
}

describe('bad input is refused with the field and what is allowed, and starts nothing', () => {
  let system: SystemUnderTest;
  beforeAll(() => {
    system = new SystemUnderTest();
  });
  afterAll(() => system.close());

  for (const [what, payload, status, field] of BAD_PAYLOADS) {
    it(`refuses ${what}`, async () => {
      const answer = await system.post(payload);
      const problem = answer.body as Problem;
      expect(answer.status, JSON.stringify(problem)).toBe(status);
      expect(problem.type).toMatch(/^urn:holdfast:problem:[a-z-]+$/);
      expect(JSON.stringify(problem.errors ?? problem.detail)).toContain(field);
    });
  }

  it('refuses a body that is not JSON, and one over 64 KB', async () => {
    expect((await system.api.call('POST', EXPERIMENTS_PATH, '{"experimentId":')).status).toBe(400);
    const large = JSON.stringify({ ...valid, experimentId: 'x'.repeat(66_000) });
    expect((await system.api.call('POST', EXPERIMENTS_PATH, large)).status).toBe(413);
  });

  it('has started nothing and reserved no id by all that', async () => {
    expect((await system.api.call('GET', `${EXPERIMENTS_PATH}/refused_example`)).status).toBe(404);
    const executions = (await system.control('GET', '/executions')) as { name: string }[];
    expect(executions.filter((execution) => execution.name.startsWith('refused_example'))).toEqual([]);
  });

  it('refuses a partition that would leave a shard without a majority, with the numbers', async () => {
    const answer = await system.post({
      ...valid,
      parameters: {
        ...valid.parameters,
        targetPartitionGroupA: ['redis-node-4', 'redis-node-5'],
        targetPartitionGroupB: ['redis-node-1', 'redis-node-2'],
      },
    });
    expect(answer.status).toBe(422);
    expect((answer.body as Problem).type).toBe('urn:holdfast:problem:blast-radius-exceeded');
  });

  it('refuses to stop a member of an Auto Scaling group that would replace it, and says which processes keep it', async () => {
    const group = {
      name: 'stores',
      hosts: ['redis-node-3'],
      healthChecks: ['EC2'],
      suspendedProcesses: [] as string[],
    };
    const suspendedProcesses = ['Terminate', 'HealthCheck', 'ReplaceUnhealthy'];
    const { parameters, ...others } = valid;
    const stop = { ...others, action: 'INSTANCE_STOP', parameters: { targetNodes: ['redis-node-3'] } };
    const dryRun = async (groups: object[]) => {
      await system.control('POST', '/scaling-groups', { groups });
      return system.api.call('POST', `${EXPERIMENTS_PATH}?dryRun=true`, JSON.stringify(stop));
    };
    try {
      const refused = await dryRun([group]);
      expect([refused.status, (refused.body as Problem).detail]).toEqual([
        422,
        expect.stringContaining('stores could replace redis-node-3'),
      ]);
      const admitted = await dryRun([{ ...group, suspendedProcesses }]);
      expect(admitted.status, JSON.stringify(admitted.body)).toBe(200);
      expect(admitted.body).toMatchObject({
        facts: { clusters: [{ scalingGroups: [{ name: 'stores', suspendedProcesses }] }] },
      });
    } finally {
      await system.control('POST', '/scaling-groups', { groups: [] });
    }
  });

  it('answers 403 to requests that are unsigned, signed with a wrong key, changed after signing, or stale', async () => {
    const send = signedPost(system);
    expect((await send({ unsigned: true })).status).toBe(403);
    expect((await send({ secretAccessKey: 'not-the-key' })).status).toBe(403);
    expect((await send({ changedBody: true })).status).toBe(403);
    expect((await send({ signedAt: new Date(Date.now() - 6 * 60_000) })).status).toBe(403);
    expect((await send({})).status).toBe(400);
  });

  it('gives a cluster to one of two requests, also under one request id, and repeats the stored answer of that one', async () => {
    const replica = await system.replicaOf(CANARY_NODES);
    const send = signedPost(system);
    const requestId = randomUUID();
    const payloads = ['same_request_1', 'same_request_2'].map((id) => partition(id, replica, CANARY_NODES, 8));
    const answers = await Promise.all(
      payloads.map(async (payload) => ({ payload, ...(await send({ requestId, body: JSON.stringify(payload) })) })),
    );
    const [started, refused] = answers.toSorted((a, b) => a.status - b.status);
    if (!started || !refused) throw new Error('two were sent');
    const holder = started.payload;
    expect(started).toMatchObject({ status: 202, body: { experimentId: holder.experimentId, status: 'INJECTED' } });
    expect(refused.status).toBe(409);

    const second = await system.post(refused.payload);
    expect(second.status).toBe(409);
    expect(JSON.stringify(second.body)).toContain(holder.experimentId);

    const again = await system.post(holder);
    expect([again.status, again.body]).toEqual([202, started.body]);
    expect((await system.post({ ...holder, durationSeconds: 9 })).status).toBe(409);
    expect((await system.waitUntilOver(holder.experimentId)).status).toBe('COMPLETED');
  });
});

/** A POST, of `{}` unless told otherwise, which a signed caller sees refused with 400; signed in ways that may be wrong. */
function signedPost(system: SystemUnderTest) {
  const { apiUrl = '', accessKeyId = '', secretAccessKey = '', region, caFile } = system.lab;
  const url = new URL(apiUrl + EXPERIMENTS_PATH);
  return async (fault: {
    unsigned?: boolean;
    secretAccessKey?: string;
    changedBody?: boolean;
    signedAt?: Date;
    requestId?: string;
    body?: string;
  }): Promise<{ status: number; body: unknown }> => {
    const credentials = { accessKeyId, secretAccessKey: fault.secretAccessKey ?? secretAccessKey };
    const signer = new SignatureV4({ service: 'execute-api', region, credentials, sha256: Sha256 });
    const chosen: Record<string, string> = fault.requestId ? { 'x-amzn-requestid': fault.requestId } : {};
    const headers = { host: url.host, 'content-type': 'application/json', ...chosen };
    const body = fault.body ?? '{}';
    const unsigned = {
      method: 'POST',
      protocol: 'https:',
      hostname: url.hostname,
      path: url.pathname,
      headers,
      body,
    };
    const signed = fault.unsigned
      ? unsigned
      : await signer.sign(unsigned, { signingDate: fault.signedAt ?? new Date() });
    return new Promise((resolve, reject) => {
      const options = { method: 'POST', headers: signed.headers, ca: readFileSync(caFile) };
      const outgoing = request(url, options, (response) => {
        resolve(json(response).then((said) => ({ status: response.statusCode ?? 0, body: said })));
      });
      outgoing.on('error', reject);
      outgoing.end(fault.changedBody ? '{"a":1}' : body);
    });
  };
}
