import { execFile, spawn } from 'node:child_process';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type ApiAnswer, type ApiClient, createApiClient, EXPERIMENTS_PATH } from '../../cli/api-client.ts';
import { type ExperimentDocument, experimentSchema } from '../../cli/api-documents.ts';
import { commandOn } from '../../lab/cli/exec.ts';
import type { Observer } from '../../lab/fleet/observe.ts';
import { observeRedis } from '../../lab/fleet/redis/observe.ts';
import { connectionOf, type Lab, readLab } from '../../lab/runtime/lab-file.ts';
import { LAB_FILES } from '../../lab/shared/files.ts';
import { waitFor } from '../../lab/shared/wait-for.ts';
import { Administrator } from './administrator.ts';
import { SYSTEM_LAB_DIRECTORY } from './directory.ts';

const run = promisify(execFile);
const TERMINAL = ['COMPLETED', 'ABORTED', 'REFUSED', 'ROLLBACK_FAILED'];

/** `PORT WORD...`: asks a process of the host as an application would. The password stays off the command line. */
const ASK_STORE = `
import json, os, socket, ssl, sys
port, words = int(sys.argv[1]), sys.argv[2:]
secret = json.load(open("/etc/holdfast/application.json"))
kind = "sentinelUsername" if port == 26379 and "sentinelUsername" in secret else "username"
login = ["AUTH", secret[kind], secret[kind.replace("Username", "Password").replace("username", "password")]]
s = socket.create_connection(("127.0.0.1", port), 2)
if os.path.exists("/etc/holdfast/ca.pem"):
    context = ssl.create_default_context(cafile="/etc/holdfast/ca.pem")
    context.load_cert_chain("/etc/holdfast/client.pem", "/etc/holdfast/client.key")
    s = context.wrap_socket(s, server_hostname=socket.gethostname() + ".holdfast.internal")
s.sendall("".join(" ".join(each) + "\\r\\n" for each in (login, words, ["PING"])).encode())
data = b""
while not data.endswith(b"+PONG\\r\\n"): data += s.recv(65536) or sys.exit("closed")
print(data.decode())`;

export interface Execution {
  code: number;
  stdout: string;
  stderr: string;
}

/** The lab that is up, as a tester sees it: through its API, and past it by looking at the hosts. */
export class SystemUnderTest {
  readonly lab: Lab = readLab(SYSTEM_LAB_DIRECTORY);
  readonly api: ApiClient = createApiClient(connectionOf(this.lab));
  /** Whoever may approve what `api` asks for. */
  readonly approver: ApiClient = createApiClient({ ...connectionOf(this.lab), credentials: administratorOf(this.lab) });
  readonly administrator = new Administrator(this.lab);

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

  /**
   * Everything of ours in a host's packet filters, v4 and v6: rules and chains, by comment and by name.
   * @throws Error when a filter could not be read: nothing seen is not "nothing there".
   */
  async ourRules(host: string): Promise<string[]> {
    const found: string[] = [];
    for (const save of ['iptables-save', 'ip6tables-save']) {
      const { code, stdout, stderr } = await this.on(host, save);
      if (code !== 0) throw new Error(`${save} on ${host}: ${stderr}`);
      found.push(...stdout.split('\n').filter((line) => /holdfast|\bhf[fq]?-[0-9a-f]{6,}/i.test(line)));
    }
    return found;
  }

  /** Asked of the store itself. */
  async replicationOf(node: string): Promise<string> {
    return this.ask(node, 6379, 'INFO', 'replication');
  }

  /** What a store (6379) or its watcher (26379) on that host answers, in the protocol's own form. */
  async ask(node: string, port: number, ...words: string[]): Promise<string> {
    const question = ['python3', '-c', ASK_STORE, String(port), ...words];
    let answer = await this.on(node, ...question);
    // A Sentinel hangs up on all clients of a node whose role it changes.
    if (answer.stderr.includes('ConnectionResetError')) answer = await this.on(node, ...question);
    const { stdout, stderr, code } = answer;
    if (code !== 0) throw new Error(`${words.join(' ')} on ${node}: ${stderr}`);
    return stdout;
  }

  /** An application that writes to a shard on its own account until it is stopped, see plain-writer.py. */
  startWriter(shard: string, prefix: string): { stop: () => Promise<{ acknowledged: number; lost: number }> } {
    const program = join(import.meta.dirname, 'plain-writer.py');
    const secret = join(SYSTEM_LAB_DIRECTORY, LAB_FILES.storeSecret);
    const sentinels = this.lab.hosts.filter((host) => host.shard === shard).map((host) => host.dataAddress);
    const command = commandOn(this.lab, 'vpc', ['/usr/bin/python3', program, secret, shard, prefix, ...sentinels]);
    const [executable = '', ...rest] = command;
    const child = spawn(executable, rest, { stdio: ['pipe', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
    });
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    return {
      stop: async () => {
        child.stdin.end();
        await ended;
        return JSON.parse(output) as { acknowledged: number; lost: number };
      },
    };
  }

  host(name: string): Lab['hosts'][number] {
    const host = this.lab.hosts.find((candidate) => candidate.name === name);
    if (!host) throw new Error(`no host ${name}`);
    return host;
  }

  /** Watches the store of one node from another one's network, by real connections. */
  observe(node: string, from: string): Observer {
    const target = { fromPid: this.host(from).pid, address: this.host(node).dataAddress };
    return observeRedis(target, SYSTEM_LAB_DIRECTORY);
  }

  /** The process of the guard that watches now. @throws Error when there is not one alone */
  async busyGuard(): Promise<{ signal(name: 'STOP' | 'CONT'): Promise<unknown> }> {
    const processes = (await this.control('GET', '/processes')) as { function: string; pid: number; state: string }[];
    const [guard, ...others] = processes.filter((each) => /guard/i.test(each.function) && each.state === 'busy');
    if (!guard || others.length > 0) throw new Error(`busy guards: ${JSON.stringify([guard, ...others])}`);
    return { signal: (name) => this.on('vpc', 'kill', `-${name}`, String(guard.pid)) };
  }

  post(payload: unknown, query = ''): Promise<ApiAnswer> {
    return this.api.call('POST', `${EXPERIMENTS_PATH}${query}`, JSON.stringify(payload));
  }

  /** By the lab's other user, unless told otherwise. */
  approve(experimentId: string, hash: string, by: ApiClient = this.approver): Promise<ApiAnswer> {
    return by.call('POST', `${EXPERIMENTS_PATH}/${experimentId}/approve`, JSON.stringify({ hash }));
  }

  /** On a cluster where two people have to agree: asked for by one, approved by the other. */
  async postApproved(payload: { experimentId: string; [field: string]: unknown }): Promise<ApiAnswer> {
    const asked = await this.post(payload);
    const { approval } = asked.body as { approval?: { hash: string } };
    return approval ? this.approve(payload.experimentId, approval.hash) : asked;
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

  /** The canary shard's nodes as they are now, asked of the stores themselves. */
  async replicaOf(shardNodes: readonly string[]): Promise<string> {
    return this.#withRole('slave', shardNodes);
  }

  async masterOf(shardNodes: readonly string[]): Promise<string> {
    return this.#withRole('master', shardNodes);
  }

  async #withRole(role: 'master' | 'slave', nodes: readonly string[]): Promise<string> {
    for (const node of nodes) {
      if ((await this.replicationOf(node)).includes(`role:${role}`)) return node;
    }
    throw new Error(`no ${role} among ${nodes.join(' ')}`);
  }

  /** Until a dry run is admitted: after a disturbance of the telemetry the baseline needs to be whole again. */
  async waitUntilSteady(): Promise<void> {
    await this.waitUntilAdmitted(async () => partition('steady', await this.replicaOf(CANARY_NODES), CANARY_NODES));
  }

  /** Until a dry run of it is admitted: after errors, what must hold before a fault did not for as long as its baseline. */
  async waitUntilAdmitted(payload: () => unknown): Promise<void> {
    await this.waitUntilQuiet();
    await waitFor(
      'steady state',
      90,
      async () => {
        const answer = await this.post(await payload(), '?dryRun=true');
        return answer.status === 200 ? undefined : JSON.stringify(answer.body);
      },
      1_000,
    );
  }

  /** Until no deployed rule fires: the alert of a limit that was crossed before it began would end an experiment. */
  async waitUntilQuiet(): Promise<void> {
    await waitFor('no deployed rule fires', 90, async () => {
      const answer = await fetch(new URL('/api/v1/alerts', this.lab.prometheusUrl));
      const { data } = (await answer.json()) as { data: { alerts: { labels: Record<string, string> }[] } };
      const firing = data.alerts.flatMap(({ labels }) => (labels.guardrail === undefined ? [] : [labels.alertname]));
      return firing.length === 0 ? undefined : firing.join();
    });
  }

  async sleepUntil(epochMs: number): Promise<void> {
    await delay(Math.max(0, epochMs - Date.now()));
  }

  /** The pids of our programs on a host, in the host's own pid namespace. */
  async programs(host: string): Promise<{ pid: number; command: string }[]> {
    const { stdout } = await this.on(host, 'ps', '-eo', 'pid=,args=');
    return stdout
      .split('\n')
      .filter((line) => line.includes('/run/holdfast/program/'))
      .map((line) => ({ pid: Number.parseInt(line, 10), command: line }));
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
    this.approver.close();
  }
}

function administratorOf({ administrator }: Lab) {
  if (!administrator) throw new Error('the lab has no AWS side');
  return administrator;
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
