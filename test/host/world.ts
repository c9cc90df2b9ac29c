import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAuthority } from '../../lab/shared/authority.ts';
import { execute, Host, type Outcome } from './host.ts';
import { ADDRESS, PORT, SETUP, until } from './wire.ts';

/** The clock is the one thing of this machine that no namespace holds back: nothing in a world may set it. */
const NO_CLOCK = '--bounding-set=-sys_time';

/** One host in namespaces of its own (network, mounts, processes), with a peer, a client and the AWS side on a wire. */
export class World extends Host {
  private init: ChildProcess | undefined;
  private initPid = '';
  private readonly spawned: ChildProcess[] = [];

  constructor() {
    super('exp_test');
  }

  /**
   * @param kind the fault script the host's program carries.
   * @param store starts the TCP listener that plays the store.
   * @param parameters own parameters of the kind.
   */
  async start(kind = 'network-partition', store = true, parameters?: Record<string, string>): Promise<this> {
    this.furnish(kind, parameters);
    // Ends with this process, however that ends.
    const words = [NO_CLOCK, '--pdeathsig', 'KILL', 'unshare', '-nmpf', '--mount-proc', '--kill-child'];
    this.init = spawn('setpriv', [...words, 'bash', '-c', SETUP, 'init', this.directory], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let problems = '';
    this.init.stderr?.on('data', (chunk) => {
      problems += String(chunk);
    });
    await until('the namespaces', 20, async () => {
      if (this.init?.exitCode !== null) throw new Error(`world: ${problems}`);
      return existsSync(`${this.directory}/world-ready`);
    });
    this.initPid = (await execute('pgrep', ['-P', String(this.init.pid)])).out;
    await this.startLeaseServer(`/proc/${this.initPid}/root/run/netns/far`);
    if (store) await this.startStore();
    return this;
  }

  /** Its first process, as this machine numbers it. */
  get firstPid(): number {
    return Number(this.initPid);
  }

  stop(): void {
    this.init?.kill('SIGKILL');
    // `nsenter` stops with the process that it has started, and would stay so for ever.
    for (const child of this.spawned) child.kill('SIGKILL');
    this.dismantle();
  }

  private command(words: string[]): [string, string[]] {
    return ['setpriv', [NO_CLOCK, 'nsenter', '-t', this.initPid, '-n', '-m', '-p', '--', ...words]];
  }

  override spawn(words: string[], environment: Record<string, string> = {}): ChildProcess {
    const [program, args] = this.command(words);
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH ?? '', ...environment },
    });
    this.spawned.push(child);
    return child;
  }

  override exec(words: string[], environment: Record<string, string> = {}): Promise<Outcome> {
    return execute(...this.command(words), environment);
  }

  override far(words: string[], environment: Record<string, string> = {}): Promise<Outcome> {
    return this.exec(['ip', 'netns', 'exec', 'far', ...words], environment);
  }

  override spawnFar(words: string[]): ChildProcess {
    return this.spawn(['ip', 'netns', 'exec', 'far', ...words]);
  }

  async startStore(): Promise<void> {
    const code = `import socket\ns=socket.create_server(("0.0.0.0",${PORT}),backlog=512)\nwhile True: s.accept()[0].close()`;
    this.spawn(['python3', '-c', code]);
    await until('the store', 10, () => this.connects('client'));
  }

  /** A unit that the stand-in below knows: enough of systemctl for one service, which may take long to shut down. */
  async startUnit({ restart = 'no', shutdownSeconds = 0 } = {}): Promise<void> {
    // SIGUSR1: it shuts itself, and runs on.
    const listen = `import os,signal,socket,time
signal.signal(signal.SIGTERM, lambda *_: (time.sleep(${shutdownSeconds}), os._exit(0)))
s=[socket.create_server(("0.0.0.0",${PORT}))]
signal.signal(signal.SIGUSR1, lambda *_: s.pop().close())
while True:
  try: s[0].accept()[0].close()
  except (OSError, IndexError): time.sleep(0.05)`;
    const systemctl = `#!/bin/bash
alive() { [ -e /run/unit.pid ] && kill -0 "$(cat /run/unit.pid)" 2>/dev/null; }
case $1 in
  show) if [ $3 = Restart ]; then echo ${restart}; elif [ $3 = ActiveState ]; then if [ -e /run/stopping ]; then echo deactivating; elif alive; then echo active; else echo failed; fi; elif alive; then cat /run/unit.pid; else echo 0; fi ;;
  is-active) if alive; then echo active; else echo inactive; exit 3; fi ;;
  start) env -i setsid python3 -c '${listen}' >/dev/null 2>&1 </dev/null & echo $! >/run/unit.pid ;;
  # The order stands when whoever gave it is gone.
  restart) echo "$2" >>/run/restarted; setsid "$0" stop-and-start "$2" & wait $! ;;
  stop-and-start) touch /run/stopping; kill "$(cat /run/unit.pid)"; while alive; do sleep 0.02; done; rm /run/stopping; "$0" start "$2" ;;
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

  /**
   * A packet filter that cannot match through IP sets, as where the kernel or its tools lack them.
   * @param then shell code for rules that do not, which stand in `$rules`; it may exit before the real tool is called.
   */
  async withoutIpSets(then = ''): Promise<void> {
    for (const tool of ['iptables-restore', 'ip6tables-restore'])
      await this.replaceTool(
        tool,
        `rules=$(cat); [[ $rules != *--match-set* ]] || exit 1
${then}
/usr/sbin/${tool} "$@" <<<"$rules"`,
      );
  }

  async startSentinel(): Promise<void> {
    const text = `port 26379\nprotected-mode no\ndir /run\nsentinel monitor shard-1 ${ADDRESS.host} ${PORT} 1\n`;
    writeFileSync(join(this.directory, 'sentinel.conf'), text);
    this.spawn(['redis-server', '/run/files/sentinel.conf', '--sentinel']);
    await until('Sentinel', 10, () => this.connects('client', 26379));
  }

  /** Redis and its Sentinel behind TLS alone, which ask for certificates; `store.json` has the fence's users. */
  async startTls(): Promise<void> {
    const file = (name: string) => join(this.directory, name);
    mkdirSync(file('tls'));
    const names = { commonName: 'node', subjectAltName: 'DNS:node.redis.example', usage: 'serverAuth,clientAuth' };
    const own = { certificate: file('tls.pem'), key: file('tls.key'), ...names };
    createAuthority(this.directory, file('tls-ca.pem'), 'Stores', [own]);
    const start = async (name: string, port: number, lines: string[], ...more: string[]) => {
      const files = ['cert-file tls.pem', 'key-file tls.key', 'ca-cert-file tls-ca.pem'];
      const tls = files.map((line) => `tls-${line.replace(' ', ' /run/files/')}`);
      const common = ['port 0', `tls-port ${port}`, 'tls-replication yes', 'protected-mode no', 'dir /run'];
      writeFileSync(file(name), [...common, ...tls, 'user default off', ...lines, ''].join('\n'));
      this.spawn(['redis-server', `/run/files/${name}`, ...more]);
      await until(name, 10, () => this.connects('client', port));
    };
    await start('redis.conf', PORT, ['save ""', 'user fence on >node -@all +role', 'user all on >all ~* &* +@all']);
    const watched = [`sentinel monitor shard-1 ${ADDRESS.host} ${PORT} 1`, 'sentinel auth-user shard-1 all'];
    const sentinel = [...watched, 'sentinel auth-pass shard-1 all', 'user watcher on >sentinel -@all +sentinel|master'];
    await start('sentinel.conf', 26379, sentinel, '--sentinel');
    const users = { username: 'fence', password: 'node', sentinelUsername: 'watcher', sentinelPassword: 'sentinel' };
    writeFileSync(file('store.json'), JSON.stringify(users));
  }

  async redis(...words: string[]): Promise<void> {
    await this.exec(['redis-cli', '-p', String(PORT), ...words]);
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
