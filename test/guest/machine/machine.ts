import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { execute, type Outcome } from '../../host/host.ts';
import { until } from '../../host/wire.ts';
import { Line } from './line.ts';

const HERE = new URL('.', import.meta.url).pathname;
const CACHE = new URL('../../../.guest/', import.meta.url).pathname;
const BOOT_SECONDS = 120;
const CONSOLE_CHARACTERS = 200_000;

/** Why this machine can run no guest kernel, or undefined if it can. */
export function guestObstacle(): string | undefined {
  if (process.platform !== 'linux') return `a guest kernel needs Linux, this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'a guest kernel needs root (network namespaces, tap interfaces)';
  try {
    closeSync(openSync('/dev/net/tun', 'r+'));
  } catch (error) {
    return `a guest kernel needs /dev/net/tun: ${String(error)}`;
  }
  for (const tool of ['linux.uml', 'mkfs.ext4']) {
    const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
    if (!path.split(':').some((directory) => existsSync(join(directory, tool))))
      return `a guest kernel needs ${tool} (packages user-mode-linux, e2fsprogs)`;
  }
  try {
    const traceMe = 'import ctypes,sys; sys.exit(ctypes.CDLL(None).ptrace(0, 0, 0, 0) != 0)';
    execFileSync('/usr/bin/python3', ['-c', traceMe]);
  } catch {
    return 'a guest kernel needs ptrace, which is not permitted here';
  }
  return undefined;
}

/** One guest kernel and the other end of its wires, in namespaces that end with this process. */
export class Machine {
  private said = '';
  private child: ChildProcess | undefined;
  private initPid = '';
  private line: Line | undefined;

  /** Boots the image that `npm run guest-image` has built (8 s). */
  async boot(): Promise<this> {
    const obstacle = guestObstacle();
    if (obstacle) throw new Error(obstacle);
    const root = await execute('bash', [join(HERE, 'build-root.sh'), CACHE]);
    if (root.code !== 0) throw new Error(`guest: ${root.out}`);
    // Ends with this process, however that ends.
    const words = ['--pdeathsig', 'KILL', 'unshare', '-nmpf', '--mount-proc', '--kill-child', 'bash'];
    this.child = spawn('setpriv', [...words, join(HERE, 'boot.sh'), root.out], {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.on('data', (chunk) => {
        this.said = (this.said + String(chunk)).slice(-CONSOLE_CHARACTERS);
      });
    this.line = new Line(this.child.stdio[3] as Duplex);
    await this.answering(undefined);
    this.initPid = (await execute('pgrep', ['-P', String(this.child.pid)])).out;
    return this;
  }

  private async answering(before: string | undefined): Promise<void> {
    await until('the guest kernel', BOOT_SECONDS, async () => {
      if (this.child?.exitCode !== null) throw new Error('guest: it ended');
      return this.agent.boot !== before;
    }).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.console()}`);
    });
  }

  /** What the kernel and systemd have printed since the machine was switched on. */
  console(): string {
    return this.said;
  }

  /** The agent in the guest. */
  get agent(): Line {
    if (!this.line) throw new Error('guest: not booted');
    return this.line;
  }

  /** Restarts the kernel at once, as a reset button does, or by `words`, and waits until it takes commands again. */
  async reset(words = ['bash', '-c', 'echo b >/proc/sysrq-trigger']): Promise<void> {
    const before = this.agent.boot;
    const reset = this.agent.exec(words);
    await this.answering(before);
    await reset;
  }

  /** A command line that runs `words` at the other end of the guest's wires. */
  farCommand(words: string[]): [string, string[]] {
    return ['nsenter', ['-t', this.initPid, '-n', '--', 'setpriv', '--pdeathsig', 'KILL', '--', ...words]];
  }

  /** File of the network namespace at the other end of the guest's wires. */
  get farNamespace(): string {
    return `/proc/${this.initPid}/ns/net`;
  }

  far(words: string[], environment: Record<string, string> = {}): Promise<Outcome> {
    return execute(...this.farCommand(words), environment);
  }

  stop(): void {
    this.child?.kill('SIGKILL');
  }
}
