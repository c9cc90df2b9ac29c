import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hashEntry } from '../../functions/domain/hash-chain.ts';
import { LAB_FILES } from '../../lab/shared/files.ts';
import { AUDIT_BUCKET, STACK_NAME } from '../../lab/shared/topology.ts';
import { SYSTEM_LAB_DIRECTORY } from './directory.ts';
import { CANARY_NODES, EXPERIMENTS_PATH, partition, SystemUnderTest } from './harness.ts';

const NODES = ['redis-tls-1', 'redis-tls-2', 'redis-tls-3'];
const [APPROVED, ABORTED] = ['approved_by_another', 'aborted_while_pending'];

describe('a cluster on which two people start an experiment', () => {
  let system: SystemUnderTest;
  let replica: string;
  const payload = (id: string) => ({ ...partition(id, replica, NODES, 5), targetService: 'redis-tls' });
  const statusOf = async (id: string) => (await system.api.call('GET', `${EXPERIMENTS_PATH}/${id}/status`)).body;

  beforeAll(async () => {
    system = new SystemUnderTest();
    replica = await system.replicaOf(NODES);
    await system.waitUntilAdmitted(() => payload('steady'));
  });
  afterAll(() => system.close());

  it('starts nothing before another one than the author approved, and then exactly what was shown', async () => {
    const asked = await system.post(payload(APPROVED));
    expect(asked).toMatchObject({ status: 202, body: { status: 'PENDING_APPROVAL', approval: { state: 'PENDING' } } });
    const { hash } = (asked.body as { approval: { hash: string } }).approval;
    expect(await system.post(payload(APPROVED))).toEqual(asked);

    const byAuthor = await system.approve(APPROVED, hash, system.api);
    expect(byAuthor).toMatchObject({ status: 403, body: { type: 'urn:holdfast:problem:approval-refused' } });
    const ofElse = await system.approve(APPROVED, 'f'.repeat(64));
    expect(ofElse).toMatchObject({ status: 409, body: { type: 'urn:holdfast:problem:approval-outdated' } });
    expect(await statusOf(APPROVED)).toMatchObject({ status: 'PENDING_APPROVAL' });
    expect(await executionsOf(APPROVED)).toEqual([]);
    expect(await system.ourRules(replica)).toEqual([]);

    const approved = await system.approve(APPROVED, hash);
    // A start there is announced ahead as well.
    expect(approved).toMatchObject({ status: 202, body: { experimentId: APPROVED, status: 'ACCEPTED' } });
    expect(await system.approve(APPROVED, hash)).toMatchObject({ status: 202, body: { experimentId: APPROVED } });
    expect((await executionsOf(APPROVED)).length).toBe(1);
    const end = await system.waitUntilOver(APPROVED);
    expect(end.status, JSON.stringify(end)).toBe('COMPLETED');
    const types = end.timeline.map(({ type }) => type);
    expect(types.slice(0, 3)).toEqual(['APPROVAL_REQUESTED', 'APPROVED', 'ADMITTED']);
  });

  it('is asked for by nobody beyond his rights, who is told which field is not his', async () => {
    const elsewhere = partition('beyond_his_rights', 'redis-node-2', CANARY_NODES, 5);
    const ask = (by: typeof system.api) =>
      by.call('POST', `${EXPERIMENTS_PATH}?dryRun=true`, JSON.stringify(elsewhere));
    const refused = { status: 403, body: { type: 'urn:holdfast:problem:not-permitted' } };
    expect(await ask(system.approver)).toMatchObject({
      ...refused,
      body: { errors: [{ field: 'targetService', allowed: 'redis-tls' }] },
    });
    // Whose row says nothing of clusters.
    expect(await ask(system.api)).not.toMatchObject(refused);
  });

  it('lets its author abort what waits, without anybody else', async () => {
    const asked = await system.post(payload(ABORTED));
    const { hash } = (asked.body as { approval: { hash: string } }).approval;
    const abort = await system.api.call('POST', `${EXPERIMENTS_PATH}/${ABORTED}/abort`);
    expect(abort).toMatchObject({ status: 202, body: { status: 'ABORTED' } });
    expect(await system.approve(ABORTED, hash)).toMatchObject({ status: 409 });
    expect(await statusOf(ABORTED)).toMatchObject({ status: 'ABORTED', approval: { state: 'ABORTED' } });
    expect(await executionsOf(ABORTED)).toEqual([]);
  });

  it('has a log that is verified by a function of its own', async () => {
    expect(await system.administrator.invoke('VerifyAudit')).toMatchObject({ broken: [] });
  });

  it('has a log that is exported to the bucket by a function of its own', async () => {
    const at = new Date(Date.now() - 86_400_000).toISOString();
    const actor = { function: 'test' };
    const unhashed = {
      experimentId: 'exported',
      sequence: 1,
      type: 'ADMITTED',
      at,
      actor,
      details: {},
      previousHash: '',
    };
    const entry = { ...unhashed, hash: hashEntry(unhashed) };
    // Nothing of this lab is a day old.
    await system.administrator.putAuditEntry(entry);
    const day = at.slice(0, 10);
    expect(await system.administrator.invoke('ExportAudit')).toEqual({ days: [day], objects: 1 });
    const key = `holdfast/${STACK_NAME}/${day}/experiments/exported.jsonl`;
    const file = join(SYSTEM_LAB_DIRECTORY, LAB_FILES.objects, AUDIT_BUCKET, key);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(entry);
    expect(await system.administrator.invoke('ExportAudit')).toEqual({ days: [], objects: 0 });
  });

  async function executionsOf(id: string) {
    const executions = (await system.control('GET', '/executions')) as { name: string }[];
    return executions.filter(({ name }) => name.startsWith(id));
  }
});
