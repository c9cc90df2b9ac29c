import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { HOST_FAULT_KINDS, scriptName } from '../../functions/domain/faults/catalogue.ts';
import { copyCertificate, serveLease } from './aws-side.ts';
import type { LeaseScript } from './lease-server.ts';
import { ADDRESS, type HostAnswer, PORT, until } from './wire.ts';

const HOST_DIRECTORY = new URL('../../host/', import.meta.url).pathname;

const moduleOf = (kind: string) => kind.replaceAll('-', '_');

/** A process on the host that a test started and does not wait for. */
export interface Running {
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  kill(signal?: NodeJS.Signals): unknown;
  once(event: 'exit', listener: (code: number | null) => void): unknown;
}

export interface Outcome {
  code: number;
  /** What it printed; its stderr when it failed and printed nothing. */
  out: string;
}

/** Runs a program of this machine; its stdout, whatever the exit code. */
export function execute(program: string, args: string[], environment: Record<string, string> = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    // With no stdin: bash takes a socket there for a remote login and reads what this machine's users have configured.
    const child = spawn(program, args, {
      env: { PATH: process.env.PATH ?? '', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text) => {
      out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      err += text;
    });
    child.once('error', (error) => resolve({ code: 1, out: error.message }));
    child.once('close', (code) => resolve({ code: code ?? 1, out: out.trim() || (code === 0 ? '' : err.trim()) }));
  });
}

/**
 * A host to be broken, with its peers, a client and the AWS side at the other end of a wire. `World` is one in
 * namespaces, `Guest` has a kernel of its own. The host sees `directory` as `/run/files`.
 */
export abstract class Host {
  readonly directory = mkdtempSync(join(tmpdir(), 'holdfast-host-'));
  readonly experimentId: string;
  /** Of its own: hosts in namespaces share one tree of control groups, whose names are made of it. */
  readonly instanceId = `i-${randomBytes(9).toString('hex').slice(0, 17)}`;
  faultId: string;
  kind = 'network-partition';
  /** Decisions are written to `trace.jsonl` in `directory`. */
  isTraced = false;
  private ownParameters: Record<string, string> | undefined;
  private readonly parameters: Record<string, string>;
  private script: LeaseScript;
  private stopServing: (() => void) | undefined;

  constructor(experimentId: string) {
    this.experimentId = experimentId;
    this.faultId = `${experimentId}.1`;
    this.parameters = {
      experimentId,
      ttlSeconds: '60',
      leaseGraceSeconds: '3',
      engine: 'redis',
      unit: 'redis-server',
      storePorts: `${PORT},26379`,
      exemptAddresses: '',
      fence: 'none',
      fenceMasterName: '',
      fenceSentinels: '',
      fenceCredentialsFile: '',
      fenceServerNames: '',
      fenceCaFile: '',
      fenceCertificateFile: '',
      fenceKeyFile: '',
    };
    this.script = {
      instanceId: this.instanceId,
      table: 'Leases',
      experimentId,
      state: 'HOLD',
      global: 'HOLD',
      grants: [],
      mode: 'advancing',
      clockSkewSeconds: 0,
    };
  }

  /** Runs a command on the host; its stdout, whatever the exit code. */
  abstract exec(words: string[], environment?: Record<string, string>): Promise<Outcome>;
  /** A long-running process on the host. */
  abstract spawn(words: string[], environment?: Record<string, string>): Running;
  /** Runs a command at the other end of the wire, where peers, client and AWS are. */
  abstract far(words: string[], environment?: Record<string, string>): Promise<Outcome>;
  /** A long-running process at the other end of the wire. */
  abstract spawnFar(words: string[]): Running;

  /** What lies in `directory` before the host starts. */
  protected furnish(kind: string, parameters?: Record<string, string>): void {
    this.kind = kind;
    this.ownParameters = parameters;
    this.composeProgram('program', [kind]);
    this.composeProgram('roll-back', HOST_FAULT_KINDS.map(scriptName));
    this.setLease({});
    copyCertificate(this.directory);
  }

  /**
   * @param namespace file of the network namespace at the other end of the wire.
   * @returns when the AWS side listens.
   */
  protected async startLeaseServer(namespace: string): Promise<void> {
    this.stopServing = await serveLease(this.directory, namespace);
  }

  /** Ends what serves this host and removes what lies in its directory. */
  protected dismantle(): void {
    this.stopServing?.();
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** What `run-command.sh` writes on a host, with comments. */
  private composeProgram(name: string, kinds: string[]): void {
    const target = join(this.directory, name);
    cpSync(HOST_DIRECTORY, target, {
      recursive: true,
      filter: (path) => !path.includes('/faults/') && !path.includes('pycache'),
    });
    mkdirSync(join(target, 'faults'), { recursive: true });
    for (const module of ['__init__', ...kinds.map(moduleOf)])
      cpSync(`${HOST_DIRECTORY}faults/${module}.py`, join(target, 'faults', `${module}.py`));
  }

  setLease(change: Partial<LeaseScript>): void {
    this.script = { ...this.script, ...change };
    writeFileSync(join(this.directory, 'lease.new'), JSON.stringify(this.script));
    renameSync(join(this.directory, 'lease.new'), join(this.directory, 'lease.json'));
  }

  /** Own parameters of the kind, for the tests that have no case of their own. */
  kindParameters(): Record<string, string> {
    if (this.ownParameters) return this.ownParameters;
    if (this.kind === 'network-partition')
      return {
        peerAddresses: ADDRESS.peer,
        scope: 'isolate',
        direction: 'both',
        packetLossPct: '100',
        ports: '',
        flap: '',
      };
    if (this.kind === 'process-pause') return { pauseSeconds: '0', repeatEverySeconds: '0' };
    return this.kind === 'process-kill' ? { signal: 'KILL', restart: 'supervisor' } : {};
  }

  faultParameters(changes: Record<string, string> = {}): Record<string, string> {
    return { ...this.parameters, faultId: this.faultId, ...this.kindParameters(), ...changes };
  }

  /** @param beside keeps the grants of other faults. */
  grant(parameters: Record<string, string>, beside = false): void {
    const text = Object.keys(parameters)
      .sort()
      .map((name) => `${name}=${parameters[name]}\n`)
      .join('');
    const granted = `${this.instanceId} ${createHash('sha256').update(text).digest('hex')}`;
    this.setLease({ grants: beside ? [...this.script.grants, granted] : [granted] });
  }

  environment(parameters: Record<string, string>): Record<string, string> {
    return {
      ...Object.fromEntries(Object.entries(parameters).map(([name, value]) => [`SSM_${name}`, value])),
      AWS_ENDPOINT_URL: `https://${ADDRESS.aws}`,
      AWS_CA_BUNDLE: '/run/files/server.pem',
      AWS_EC2_METADATA_SERVICE_ENDPOINT: `http://${ADDRESS.aws}`,
      AWS_REGION: 'eu-west-1',
      HOLDFAST_LEASE_TABLE: this.script.table,
      ...(this.isTraced && { HOLDFAST_TRACE: '/run/files/trace.jsonl' }),
    };
  }

  private async watchdog(program: string, verb: string, parameters: Record<string, string>): Promise<HostAnswer> {
    const answer = await this.exec(
      ['/usr/bin/python3', '-B', `/run/files/${program}/watchdog.py`, verb],
      this.environment(parameters),
    );
    try {
      return { code: answer.code, ...JSON.parse(answer.out) };
    } catch {
      throw new Error(`${verb}: exit ${answer.code}: ${answer.out}`);
    }
  }

  /** Injects with a grant for exactly these parameters. */
  async inject(changes: Record<string, string> = {}, granted = true): Promise<HostAnswer> {
    const parameters = this.faultParameters(changes);
    if (granted) this.grant(parameters);
    return this.watchdog('program', 'inject', parameters);
  }

  rollBack(verb: 'revert' | 'status'): Promise<HostAnswer> {
    return this.watchdog('roll-back', verb, { experimentId: this.experimentId, faultId: this.faultId });
  }

  status(): Promise<HostAnswer> {
    return this.rollBack('status');
  }

  reverted(seconds: number): Promise<HostAnswer> {
    return until('the revert', seconds, async () => {
      const answer = await this.status();
      return answer.state === 'REVERTED' && answer;
    });
  }

  /** Can `from` open a TCP connection to the store of the host? Loses in 0.3 s. */
  async connects(from: 'peer' | 'client', port: number = PORT): Promise<boolean> {
    const code = `import socket,sys; s=socket.socket(); s.settimeout(0.3); s.bind((sys.argv[1],0)); s.connect(("${ADDRESS.host}",${port}))`;
    return (await this.far(['python3', '-c', code, ADDRESS[from]])).code === 0;
  }

  /** When the peer could connect again (epoch milliseconds): what the watchdog says of itself proves nothing. */
  async reopenedMs(seconds: number): Promise<number> {
    let triedMs = 0;
    await until('the lifting', seconds, () => {
      triedMs = Date.now();
      return this.connects('peer');
    });
    return triedMs;
  }

  /** Rules of the packet filter, everybody's. */
  async filter(): Promise<string[]> {
    return (await this.exec(['iptables-save', '-t', 'filter'])).out.split('\n').filter((line) => line.startsWith('-A'));
  }

  /** Pids of the pair, in the host's own numbering. */
  async pair(): Promise<{ supervisor: string; runner: string }> {
    const text = await this.exec(['cat', `/run/holdfast/${this.faultId}/state.json`]);
    const pair = JSON.parse(text.out).pair as Record<'supervisor' | 'runner', [number, string]>;
    return { supervisor: String(pair.supervisor[0]), runner: String(pair.runner[0]) };
  }

  /** The pair reverts once more what it finds left behind, until it has ended. */
  async pairEnded(): Promise<void> {
    const seen = async () => (await this.exec(['pgrep', '-f', 'watchdog.py watch'])).code === 1;
    await until('the end of the pair', 8, seen);
  }

  async signal(name: string, pid: string): Promise<void> {
    await this.exec(['kill', `-${name}`, pid]);
  }

  async log(): Promise<string> {
    return (await this.exec(['cat', `/run/holdfast/${this.faultId}/log`])).out;
  }
}
