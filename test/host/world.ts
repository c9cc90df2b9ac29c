import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { LeaseScript } from './lease-server.ts';
import { ADDRESS, type HostAnswer, PORT, SETUP, until } from './wire.ts';

const run = promisify(execFile);
const HOST_DIRECTORY = new URL('../../host/', import.meta.url).pathname;
const INSTANCE_ID = 'i-00000000000000001';

/** One host in namespaces of its own (network, mounts, processes), with a peer, a client and the AWS side on a wire. */
export class World {
  readonly directory = mkdtempSync(join(tmpdir(), 'holdfast-host-'));
  readonly experimentId = 'exp_test';
  faultId = 'exp_test.1';
  kind = 'network-partition';
  private init: ChildProcess | undefined;
  private initPid = '';
  private readonly parameters: Record<string, string> = {
    experimentId: 'exp_test',
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
  };
  private script: LeaseScript = {
    table: 'Leases',
    experimentId: 'exp_test',
    state: 'HOLD',
    global: 'HOLD',
    grants: [],
    mode: 'advancing',
    clockSkewSeconds: 0,
  };

  /** @param kind the fault script the host's program carries. @param store starts the TCP listener that plays the store. */
  async start(kind = 'network-partition', store = true): Promise<this> {
    this.kind = kind;
    this.composeProgram('program', [kind]);
    this.composeProgram('roll-back', ['network-partition', 'process-kill', 'process-pause']);
    this.setLease({});
    await this.certificate();
    this.init = spawn(
      'unshare',
      ['-nmpf', '--mount-proc', '--kill-child', 'bash', '-c', SETUP, 'init', this.directory],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    let problems = '';
    this.init.stderr?.on('data', (chunk) => {
      problems += String(chunk);
    });
    await until('the namespaces', 20, async () => {
      if (this.init?.exitCode !== null) throw new Error(`world: ${problems}`);
      return (await run('test', ['-e', `${this.directory}/world-ready`]).catch(() => undefined)) !== undefined;
    });
    const children = await run('pgrep', ['-P', String(this.init.pid)]);
    this.initPid = children.stdout.trim();
    const server = new URL('lease-server.ts', import.meta.url).pathname;
    const aws = this.spawn(['ip', 'netns', 'exec', 'far', process.execPath, server, this.directory]);
    await new Promise<void>((resolve, reject) => {
      aws.stdout?.once('data', () => resolve());
      aws.once('exit', (code) => reject(new Error(`lease server ended with ${code}`)));
      aws.stderr?.on('data', (chunk) => process.stderr.write(chunk));
    });
    if (store) await this.startStore();
    return this;
  }

  stop(): void {
    this.init?.kill('SIGKILL');
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** What `run-command.sh` writes on a host. */
  private composeProgram(name: string, kinds: string[]): void {
    const target = join(this.directory, name);
    cpSync(HOST_DIRECTORY, target, {
      recursive: true,
      filter: (path) => !path.includes('/faults/') && !path.includes('pycache'),
    });
    mkdirSync(join(target, 'faults'), { recursive: true });
    for (const kind of kinds) cpSync(`${HOST_DIRECTORY}faults/${kind}.sh`, join(target, 'faults', `${kind}.sh`));
  }

  private async certificate(): Promise<void> {
    const path = (name: string) => join(this.directory, name);
    await run('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
      ...['-subj', '/CN=aws', '-addext', `subjectAltName=IP:${ADDRESS.aws}`],
      ...['-keyout', path('server.key'), '-out', path('server.pem')],
    ]);
  }

  setLease(change: Partial<LeaseScript>): void {
    this.script = { ...this.script, ...change };
    writeFileSync(join(this.directory, 'lease.new'), JSON.stringify(this.script));
    renameSync(join(this.directory, 'lease.new'), join(this.directory, 'lease.json'));
  }

  kindParameters(): Record<string, string> {
    if (this.kind === 'network-partition')
      return { peerAddresses: ADDRESS.peer, scope: 'isolate', packetLossPct: '100' };
    return this.kind === 'process-kill' ? { signal: 'KILL', restart: 'supervisor' } : {};
  }

  faultParameters(changes: Record<string, string> = {}): Record<string, string> {
    return { ...this.parameters, faultId: this.faultId, ...this.kindParameters(), ...changes };
  }

  grant(parameters: Record<string, string>): void {
    const text = Object.keys(parameters)
      .sort()
      .map((name) => `${name}=${parameters[name]}\n`)
      .join('');
    this.setLease({ grants: [`${INSTANCE_ID} ${createHash('sha256').update(text).digest('hex')}`] });
  }

  private command(words: string[]): [string, string[]] {
    return ['nsenter', ['-t', this.initPid, '-n', '-m', '-p', '--', ...words]];
  }

  /** A long-running process on the host. */
  spawn(words: string[], environment: Record<string, string> = {}): ChildProcess {
    const [program, args] = this.command(words);
    return spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH ?? '', ...environment },
    });
  }

  /** Runs a command on the host; its stdout, whatever the exit code. */
  async exec(words: string[], environment: Record<string, string> = {}): Promise<{ code: number; out: string }> {
    const [program, args] = this.command(words);
    return new Promise((resolve) => {
      execFile(program, args, { env: { PATH: process.env.PATH ?? '', ...environment } }, (error, out, err) => {
        const code = error ? (typeof error.code === 'number' ? error.code : 1) : 0;
        resolve({ code, out: out.trim() || (code === 0 ? '' : err.trim()) });
      });
    });
  }

  environment(parameters: Record<string, string>): Record<string, string> {
    return {
      ...Object.fromEntries(Object.entries(parameters).map(([name, value]) => [`SSM_${name}`, value])),
      AWS_ENDPOINT_URL: `https://${ADDRESS.aws}`,
      AWS_CA_BUNDLE: '/run/files/server.pem',
      AWS_EC2_METADATA_SERVICE_ENDPOINT: `http://${ADDRESS.aws}`,
      AWS_REGION: 'eu-west-1',
      HOLDFAST_LEASE_TABLE: this.script.table,
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
    return until('the way back', seconds, async () => {
      const answer = await this.status();
      return answer.state === 'REVERTED' && answer;
    });
  }

  /** Can `from` open a TCP connection to the store of the host? Loses in 0.3 s. */
  async connects(from: 'peer' | 'client', port: number = PORT): Promise<boolean> {
    const code = `import socket,sys; s=socket.socket(); s.settimeout(0.3); s.bind((sys.argv[1],0)); s.connect(("${ADDRESS.host}",${port}))`;
    return (await this.exec(['ip', 'netns', 'exec', 'far', 'python3', '-c', code, ADDRESS[from]])).code === 0;
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

  async startStore(): Promise<void> {
    const code = `import socket\ns=socket.create_server(("0.0.0.0",${PORT}),backlog=512)\nwhile True: s.accept()[0].close()`;
    this.spawn(['python3', '-c', code]);
    await until('the store', 10, () => this.connects('client'));
  }

  /** A unit that the stand-in below knows: enough of systemctl for one service, which may take long to shut down. */
  async startUnit({ restart = 'no', shutdownSeconds = 0 } = {}): Promise<void> {
    const listen = `import os,signal,socket,time
signal.signal(signal.SIGTERM, lambda *_: (time.sleep(${shutdownSeconds}), os._exit(0)))
s=socket.create_server(("0.0.0.0",${PORT}))
while True: s.accept()[0].close()`;
    const systemctl = `#!/bin/bash
alive() { [ -e /run/unit.pid ] && kill -0 "$(cat /run/unit.pid)" 2>/dev/null; }
case $1 in
  show) if [ $3 = Restart ]; then echo ${restart}; elif alive; then cat /run/unit.pid; else echo 0; fi ;;
  is-active) if alive; then echo active; else echo inactive; exit 3; fi ;;
  start) env -i setsid python3 -c '${listen}' >/dev/null 2>&1 </dev/null & echo $! >/run/unit.pid ;;
  *) exit 1 ;;
esac
`;
    writeFileSync(join(this.directory, 'systemctl'), systemctl, { mode: 0o755 });
    await this.exec(['mount', '--bind', '/run/files/systemctl', '/usr/bin/systemctl']);
    await this.exec(['systemctl', 'start', 'redis-server']);
    await until('the unit', 10, () => this.connects('client'));
  }

  async startRedis(): Promise<void> {
    this.spawn(['redis-server', '--port', String(PORT), '--protected-mode', 'no', '--save', '', '--dir', '/run']);
    await until('Redis', 10, () => this.connects('client'));
  }

  /** Puts a script in the place of a tool, for the host program as well. */
  async replaceTool(name: string, script: string): Promise<void> {
    mkdirSync(join(this.directory, 'sbin'), { recursive: true });
    writeFileSync(join(this.directory, 'sbin', name), `#!/bin/bash\n${script}\n`, { mode: 0o755 });
    await this.exec(['mount', '--bind', '/run/files/sbin', '/usr/local/sbin']);
  }

  async startSentinel(): Promise<void> {
    const text = `port 26379\nprotected-mode no\ndir /run\nsentinel monitor shard-1 ${ADDRESS.host} ${PORT} 1\n`;
    writeFileSync(join(this.directory, 'sentinel.conf'), text);
    this.spawn(['redis-server', '/run/files/sentinel.conf', '--sentinel']);
    await until('Sentinel', 10, () => this.connects('client', 26379));
  }

  async redis(...words: string[]): Promise<void> {
    await this.exec(['redis-cli', '-p', String(PORT), ...words]);
  }

  async filter(): Promise<string[]> {
    return (await this.exec(['iptables-save', '-t', 'filter'])).out.split('\n').filter((line) => line.startsWith('-A'));
  }

  /** Pids of the pair, in the host's own numbering. */
  async pair(): Promise<{ leash: string; poller: string }> {
    const text = await this.exec(['cat', `/run/holdfast/${this.faultId}/state.json`]);
    const pair = JSON.parse(text.out).pair as Record<'leash' | 'poller', [number, string]>;
    return { leash: String(pair.leash[0]), poller: String(pair.poller[0]) };
  }

  async signal(name: string, pid: string): Promise<void> {
    await this.exec(['kill', `-${name}`, pid]);
  }

  async log(): Promise<string> {
    return (await this.exec(['cat', `/run/holdfast/${this.faultId}/log`])).out;
  }
}

/** One test in a world of its own; the fault's log is shown when it fails. */
export async function inWorld(kind: string, test: (world: World) => Promise<void>, store = true): Promise<void> {
  const world = new World();
  try {
    await world.start(kind, store);
    await test(world);
  } catch (error) {
    process.stderr.write(`${await world.log().catch(() => 'no log')}\n`);
    throw error;
  } finally {
    world.stop();
  }
}
