import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { Agent } from 'node:https';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { GetCommandInvocationCommand, SendCommandCommand, SSMClient } from '@aws-sdk/client-ssm';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { type ApiAnswer, type ApiClient, createApiClient, EXPERIMENTS_PATH } from '../../lab/api-client.ts';
import { commandOn } from '../../lab/exec.ts';
import { type Lab, readLab } from '../../lab/lab-file.ts';
import { type Observer, observeReachability } from '../../lab/observe.ts';
import { type ExperimentDocument, experimentSchema } from '../../lab/render-documents.ts';
import { waitFor } from '../../lab/wait-for.ts';
import { LAB_FILES, REDIS_PORT, STACK_NAME } from '../../lab/world.ts';
import { SYSTEM_LAB_DIRECTORY } from './directory.ts';

const run = promisify(execFile);
const TERMINAL = ['COMPLETED', 'ABORTED', 'REFUSED', 'ROLLBACK_FAILED'];

/** What every fault document takes besides the fault itself. */
const COMMON_PARAMETERS = {
  leaseGraceSeconds: '3',
  engine: 'redis',
  unit: 'redis-server',
  storePorts: '6379,26379',
  exemptAddresses: '',
  fence: 'none',
  fenceMasterName: '',
  fenceSentinels: '',
  fenceCredentialsFile: '',
};

export interface Execution {
  code: number;
  stdout: string;
  stderr: string;
}

/** The lab that is up, as a tester sees it: through its API, and past it by looking at the hosts. */
export class SystemUnderTest {
  readonly lab: Lab = readLab(SYSTEM_LAB_DIRECTORY);
  readonly api: ApiClient = createApiClient(apiConnection(this.lab));

  /** Runs a command on a host, like ssh; never rejects for an exit code. */
  async on(host: string, ...argv: string[]): Promise<Execution> {
    const [program = '', ...rest] = commandOn(this.lab, host, argv);
    try {
      return { code: 0, ...(await run(program, rest)) };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { code, stdout, stderr };
    }
  }

  host(name: string): Lab['hosts'][number] {
    const host = this.lab.hosts.find((candidate) => candidate.name === name);
    if (!host) throw new Error(`no host ${name}`);
    return host;
  }

  /** Watches the store of one node from another one's network, by real connections. */
  observe(node: string, from: string): Observer {
    return observeReachability({
      fromPid: this.host(from).pid,
      address: this.host(node).dataAddress,
      port: REDIS_PORT,
    });
  }

  post(payload: unknown, query = ''): Promise<ApiAnswer> {
    return this.api.call('POST', `${EXPERIMENTS_PATH}${query}`, JSON.stringify(payload));
  }

  async experiment(experimentId: string): Promise<ExperimentDocument> {
    const answer = await this.api.call('GET', `${EXPERIMENTS_PATH}/${experimentId}`);
    if (answer.status !== 200) throw new Error(`GET ${experimentId}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return experimentSchema.parse(answer.body);
  }

  async waitUntilOver(experimentId: string, timeoutSeconds = 100): Promise<ExperimentDocument> {
    await waitFor(
      `end of ${experimentId}`,
      timeoutSeconds,
      async () => {
        const { status, timeline } = await this.experiment(experimentId);
        return TERMINAL.includes(status) ? undefined : `${status} after ${timeline.at(-1)?.type}`;
      },
      500,
    );
    return this.experiment(experimentId);
  }

  /** Asks the API's dry run who is what now. */
  async replicaOf(shardNodes: readonly string[]): Promise<string> {
    for (const node of shardNodes) {
      const answer = await this.post(partition(`who_${Date.now()}`, node, shardNodes), '?dryRun=true');
      if (answer.status !== 200) throw new Error(`dry run: ${answer.status} ${JSON.stringify(answer.body)}`);
      if (JSON.stringify(answer.body).includes('"role":"replica"')) {
        const { facts } = answer.body as { facts: { targets: { impacted: { name: string; role: string }[] }[] } };
        if (facts.targets[0]?.impacted[0]?.role === 'replica') return node;
      }
    }
    throw new Error(`no replica among ${shardNodes.join(' ')}`);
  }

  /** The pids of our programs on a host, in the host's own pid namespace. */
  async programs(host: string): Promise<{ pid: number; command: string }[]> {
    const { stdout } = await this.on(host, 'ps', '-eo', 'pid=,args=');
    return stdout
      .split('\n')
      .filter((line) => line.includes('watchdog.py'))
      .map((line) => ({ pid: Number.parseInt(line, 10), command: line }));
  }

  /**
   * What anyone with the right to send commands could do: our document on a host, without the API. Sent with the
   * administrator's key, whom IAM allows everything.
   * @returns the one line the program printed.
   */
  async sendPastTheApi(node: string, document: string, parameters: Record<string, string>): Promise<unknown> {
    const { administrator, apiUrl, region, caFile } = this.lab;
    if (!administrator || !apiUrl) throw new Error('the lab has no AWS side');
    const agent = new Agent({ ca: readFileSync(caFile) });
    const requestHandler = new NodeHttpHandler({ httpsAgent: agent });
    const ssm = new SSMClient({ region, endpoint: apiUrl, credentials: administrator, requestHandler });
    const InstanceId = this.host(node).instanceId;
    const { tables } = JSON.parse(readFileSync(join(SYSTEM_LAB_DIRECTORY, LAB_FILES.awsReady), 'utf8')) as {
      tables: string[];
    };
    const leaseTable = tables.find((name) => name.includes('LeaseTable'));
    if (!leaseTable) throw new Error(`no LeaseTable among ${tables}`);
    const all = { ...COMMON_PARAMETERS, leaseTable, ...parameters };
    const sent = await ssm.send(
      new SendCommandCommand({
        InstanceIds: [InstanceId],
        DocumentName: `Holdfast-${STACK_NAME}-${document}`,
        Parameters: Object.fromEntries(Object.entries(all).map(([name, value]) => [name, [value]])),
      }),
    );
    const CommandId = sent.Command?.CommandId;
    let output = '';
    await waitFor('end of the command', 30, async () => {
      const { Status, StandardOutputContent, StandardErrorContent } = await ssm.send(
        new GetCommandInvocationCommand({ CommandId, InstanceId }),
      );
      output = StandardOutputContent || StandardErrorContent || '';
      return ['Success', 'Failed'].includes(Status ?? '') ? undefined : `it is ${Status}`;
    });
    ssm.destroy();
    agent.destroy();
    return JSON.parse(output);
  }

  /** The lab's own control socket, for what a tester does and an API does not offer. */
  control(method: string, path: string, body?: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const outgoing = request({ socketPath: this.lab.controlSocket, method, path }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          if ((response.statusCode ?? 500) >= 300)
            reject(new Error(`${method} ${path}: ${response.statusCode} ${text}`));
          else resolve(text === '' ? undefined : JSON.parse(text));
        });
      });
      outgoing.on('error', reject);
      outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  close(): void {
    this.api.close();
  }
}

function apiConnection(lab: Lab) {
  const { apiUrl, accessKeyId, secretAccessKey, caFile, region } = lab;
  if (!apiUrl || !accessKeyId || !secretAccessKey) throw new Error('the lab has no AWS side');
  return { apiUrl, accessKeyId, secretAccessKey, caFile, region };
}

/** The seed's partition, of one node from the others of its shard. */
export function partition(experimentId: string, node: string, shardNodes: readonly string[], durationSeconds = 60) {
  return {
    experimentId,
    targetService: 'redis-master',
    action: 'NETWORK_PARTITION',
    parameters: {
      latencyMs: 0,
      packetLossPct: 100,
      targetPartitionGroupA: shardNodes.filter((other) => other !== node),
      targetPartitionGroupB: [node],
    },
    durationSeconds,
    safetyThreshold: { maxAlertSeverity: 'WARNING', automaticRollbackOnAlert: true },
  };
}

export const CANARY_NODES = ['redis-node-1', 'redis-node-2', 'redis-node-3'] as const;
export { EXPERIMENTS_PATH };
