import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CancelCommandCommand, GetCommandInvocationCommand, SendCommandCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { agentUnit } from '../../../../lab/fleet/hosts.ts';
import { REGION } from '../../../../lab/shared/topology.ts';
import { AGENT_TOKEN, eventually, functionCredentials, HOST, type Lab, startLab } from '../fixture.ts';

const AGENT = fileURLToPath(new URL('../../../../lab/fleet/host/host-agent.py', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'lab-ssm-'));
let lab: Lab;
let agent: ChildProcess;
let metadata = '';
let client: SSMClient;

beforeAll(async () => {
  lab = await startLab();
  client = new SSMClient(lab.client(lab.system.administrator));
  agent = spawn(
    '/usr/bin/python3',
    [
      AGENT,
      '--instance-id',
      HOST.instanceId,
      '--endpoint',
      lab.endpoint,
      '--ca',
      lab.caFile,
      '--region',
      REGION,
      '--metadata-address',
      '127.0.0.1:0',
      '--work-directory',
      directory,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, HOST_AGENT_TOKEN: AGENT_TOKEN } },
  );
  let log = '';
  agent.stderr?.on('data', (chunk) => (log += chunk));
  metadata = await eventually(10, () => /metadata on (\S+)/.exec(log)?.[1]);
  const cancelled = (ids: string[]) => Promise.all(ids.map(cancel));
  await eventually(10, () => send(1).then(cancelled, () => undefined)); // refused until the agent has registered
}, 60_000);
afterAll(() => {
  agent.kill('SIGKILL');
  for (const child of children().filter(isAlive)) process.kill(child, 'SIGKILL'); // left only by a failed test
  lab.stop();
  rmSync(directory, { recursive: true, force: true });
});

const send = async (
  count: number,
  parameters: Record<string, string[]> = { directory: [directory] },
): Promise<string[]> => {
  const sent = Array.from({ length: count }, () =>
    client.send(
      new SendCommandCommand({ DocumentName: 'Test-Sleep', InstanceIds: [HOST.instanceId], Parameters: parameters }),
    ),
  );
  return (await Promise.all(sent)).map(({ Command }) => Command?.CommandId ?? '');
};
const cancel = (CommandId: string) => client.send(new CancelCommandCommand({ CommandId }));
const invocation = (CommandId: string) =>
  client.send(new GetCommandInvocationCommand({ CommandId, InstanceId: HOST.instanceId }));
/** Right after it was sent a command is not known yet. */
const known = (CommandId: string) =>
  eventually(5, () =>
    invocation(CommandId).catch((error: Error) => {
      if (error.name === 'InvocationDoesNotExist') return undefined;
      throw error;
    }),
  );
const children = (): number[] =>
  readdirSync(directory)
    .filter((name) => name.startsWith('child.'))
    .map((name) => Number(readFileSync(join(directory, name), 'utf8')));
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.startsWith('Z') === false;
  } catch {
    return false;
  }
}
const settled = (id: string, status: string) =>
  eventually(10, async () => {
    const found = await known(id);
    return found.Status === status ? found : undefined;
  });

it("the agent's token is on no command line, and its commands do not inherit it", async () => {
  const { argv, environment } = agentUnit(HOST, AGENT_TOKEN);
  expect(argv.join(' ')).not.toContain(AGENT_TOKEN);
  expect(environment.HOST_AGENT_TOKEN).toBe(AGENT_TOKEN);
  // The agent of these tests works, and was given its token in the same way.
  expect(readFileSync(`/proc/${agent.pid}/cmdline`, 'utf8')).not.toContain(AGENT_TOKEN);
  const [id = ''] = await send(1);
  const child = await eventually(10, () => children().find(isAlive));
  expect(readFileSync(`/proc/${child}/environ`, 'utf8')).not.toContain(AGENT_TOKEN);
  await cancel(id);
  await settled(id, 'Cancelled');
});

describe('Run Command', () => {
  it('does not know a command that was sent a moment ago', async () => {
    const [id = ''] = await send(1);
    await expect(invocation(id)).rejects.toMatchObject({ name: 'InvocationDoesNotExist' });
    await known(id);
    await cancel(id);
    await settled(id, 'Cancelled');
  });

  it('kills the whole process group when a command is cancelled, nohup children included', async () => {
    const [id = ''] = await send(1);
    await settled(id, 'InProgress');
    const child = await eventually(10, () => children().find(isAlive));
    await cancel(id);
    expect(await settled(id, 'Cancelled')).toMatchObject({ ResponseCode: 137, StandardOutputContent: 'started\n' });
    await eventually(5, () => (isAlive(child) ? undefined : true));
  });

  it('runs five commands at once on a host; the sixth waits until one ends', async () => {
    const ids = await send(6);
    const statuses = async () => (await Promise.all(ids.map(known))).map(({ Status }) => Status);
    const count = (all: (string | undefined)[], wanted: string) => all.filter((status) => status === wanted).length;
    await eventually(10, async () => (count(await statuses(), 'InProgress') === 5 ? true : undefined));
    await eventually(10, () => (children().filter(isAlive).length === 5 ? true : undefined));
    const before = await statuses();
    expect(count(before, 'Pending')).toBe(1);
    const [running, waiting] = [ids[before.indexOf('InProgress')] ?? '', ids[before.indexOf('Pending')] ?? ''];
    await cancel(running);
    await settled(waiting, 'InProgress');
    await Promise.all(ids.map(cancel));
    await Promise.all(ids.map((id) => settled(id, 'Cancelled')));
    await eventually(5, () => (children().some(isAlive) ? undefined : true));
  });

  it('keeps the first 24,000 characters of what a command wrote, and the first 8,000 of its errors', async () => {
    const [commandId, endedMs] = [randomUUID(), Date.now() - 60_000];
    lab.system.ssm.book.invocations.push({
      ...{ commandId, instanceId: HOST.instanceId, documentName: 'Test-Sleep', comment: '' },
      ...{ status: 'Success', statusDetails: 'Success', responseCode: 0, requestedMs: endedMs, endedMs },
      ...{ stdout: `${'o'.repeat(24_000)}cut`, stderr: `${'e'.repeat(8_000)}cut` },
      work: { script: '', environment: {}, executionSeconds: 60 },
    });
    const { StandardOutputContent, StandardErrorContent } = await invocation(commandId);
    expect(StandardOutputContent).toBe('o'.repeat(24_000));
    expect(StandardErrorContent).toBe('e'.repeat(8_000));
  });

  it('refuses a parameter that does not match its pattern, and one that the document does not have', async () => {
    await expect(send(1, { directory: ['/tmp; reboot'] })).rejects.toMatchObject({ name: 'InvalidParameters' });
    await expect(send(1, { directory: [directory], other: ['x'] })).rejects.toMatchObject({
      name: 'InvalidParameters',
    });
  });

  it('refuses a host whose agent never registered, and a role without permission to cancel', async () => {
    const elsewhere = new SendCommandCommand({
      DocumentName: 'Test-Sleep',
      InstanceIds: ['i-0ffffffffffffffff'],
      Parameters: { directory: ['/tmp'] },
    });
    await expect(client.send(elsewhere)).rejects.toMatchObject({ name: 'InvalidInstanceId' });
    const asFunction = new SSMClient(lab.client(functionCredentials(lab)));
    await expect(asFunction.send(elsewhere)).rejects.toMatchObject({ name: 'AccessDeniedException' });
    await expect(asFunction.send(new CancelCommandCommand({ CommandId: randomUUID() }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
    });
  });
});

describe("the host's metadata", () => {
  const get = async (path: string, token?: string) => {
    const response = await fetch(
      `http://${metadata}/latest/${path}`,
      token === undefined ? {} : { headers: { 'x-aws-ec2-metadata-token': token } },
    );
    return { status: response.status, text: await response.text() };
  };

  it('answers only with a session token, and hands out credentials of the host role', async () => {
    expect((await get('meta-data/instance-id')).status).toBe(401);
    const headers = { 'x-aws-ec2-metadata-token-ttl-seconds': '60' };
    const token = await (await fetch(`http://${metadata}/latest/api/token`, { method: 'PUT', headers })).text();
    expect((await get('meta-data/instance-id', token)).text).toBe(HOST.instanceId);
    const role = (await get('meta-data/iam/security-credentials/', token)).text;
    const found = JSON.parse((await get(`meta-data/iam/security-credentials/${role}`, token)).text);
    expect(lab.system.credentials.find(found.AccessKeyId)?.principal.arn).toContain(
      `assumed-role/${role}/${HOST.instanceId}`,
    );
  });
});
