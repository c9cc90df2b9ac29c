import { type ChildProcess, spawn } from 'node:child_process';
import { describe } from 'vitest';
import { Host, type Outcome, type Running } from '../host/host.ts';
import { until } from '../host/wire.ts';
import { guestObstacle, Machine } from './machine/machine.ts';

/** Long enough for a test that boots the guest, or even builds it. */
export const GUEST_TEST_MS = 300_000;

/** One for all tests of this process; it boots with the first one. */
let machine: Promise<Machine> | undefined;
/** Only one test at a time can have it. */
let queue: Promise<unknown> = Promise.resolve();
let tests = 0;

/** Debian with systemd as process 1 on a kernel of its own: netem, a clock, control groups, OOM killer, reboots. */
export class Guest extends Host {
  private readonly machine: Machine;
  private before = '';

  constructor(machine: Machine) {
    tests += 1;
    super(`exp_guest${tests}`);
    this.machine = machine;
  }

  async start(kind: string, parameters?: Record<string, string>): Promise<this> {
    this.furnish(kind, parameters);
    await this.mountFiles();
    await this.startLeaseServer(this.machine.farNamespace);
    await until('the store', 20, () => this.connects('client'));
    this.before = await this.traces();
    return this;
  }

  private async mountFiles(): Promise<void> {
    await this.must(['mount', '-t', 'hostfs', '-o', this.directory, 'none', '/run/files']);
  }

  /** Runs a command that has to succeed. */
  private async must(words: string[]): Promise<string> {
    const { code, out } = await this.exec(words);
    if (code !== 0) throw new Error(`guest: ${words.join(' ')}: exit ${code}: ${out}`);
    return out;
  }

  override exec(words: string[], environment: Record<string, string> = {}): Promise<Outcome> {
    return this.machine.agent.exec(words, environment);
  }

  override spawn(words: string[], environment: Record<string, string> = {}): Running {
    return this.machine.agent.spawn(words, environment);
  }

  override far(words: string[], environment: Record<string, string> = {}): Promise<Outcome> {
    return this.machine.far(words, environment);
  }

  override spawnFar(words: string[]): ChildProcess {
    const [program, args] = this.machine.farCommand(words);
    return spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  }

  /**
   * The reset button: everything in memory is gone, nobody was asked. Returns when the guest takes commands again, with
   * its services started and nothing of ours.
   */
  async reboot(): Promise<void> {
    await this.machine.reset();
    await this.mountFiles();
  }

  /** Everybody is asked to end first. */
  async shutDownAndStart(): Promise<void> {
    await this.machine.reset(['systemctl', 'reboot']);
    await this.mountFiles();
  }

  /** What the kernel and systemd have said since the machine was switched on. */
  console(): string {
    return this.machine.console();
  }

  /** How far the guest's clock is ahead of this machine's, in seconds (good to some hundredths). */
  async clockAheadSeconds(): Promise<number> {
    const before = Date.now();
    const own = Number(await this.must(['date', '+%s.%N']));
    return own - (before + Date.now()) / 2000;
  }

  /** Leaves a guest for the next test: resets it unless the test has left it as it was. */
  async stop(passed: boolean): Promise<void> {
    if (!passed || !(await this.isAsBefore())) await this.machine.reset();
    this.dismantle();
  }

  private async isAsBefore(): Promise<boolean> {
    await this.machine.agent.clear();
    const tidy = 'rm -rf /run/holdfast; systemctl reset-failed; systemctl start redis-server chrony';
    await this.exec(['bash', '-c', tidy]);
    if ((await this.traces()) !== this.before || Math.abs(await this.clockAheadSeconds()) > 0.5) return false;
    return (await this.exec(['umount', '-l', '/run/files'])).code === 0;
  }

  private traces(): Promise<string> {
    return this.must(['/usr/local/lib/guest/traces.sh']);
  }
}

/** Boots the guest; for a `beforeAll`, so that no test waits for it. Called again it returns the one that runs. */
export function bootGuest(): Promise<Machine> {
  machine ??= new Machine().boot().then((booted) => {
    process.once('exit', () => booted.stop());
    return booted;
  });
  return machine;
}

/** One test with the guest to itself; the fault's log is shown when it fails, and the guest is reset. */
export function inGuest(
  kind: string,
  test: (guest: Guest) => Promise<void>,
  parameters?: Record<string, string>,
): Promise<void> {
  const turn = queue.then(async () => {
    const guest = new Guest(await bootGuest());
    let passed = false;
    try {
      await guest.start(kind, parameters);
      await test(guest);
      passed = true;
    } catch (error) {
      process.stderr.write(`${(await guest.log().catch(() => undefined)) ?? 'no log'}\n`);
      throw error;
    } finally {
      await guest.stop(passed);
    }
  });
  queue = turn.catch(() => undefined);
  return turn;
}

/** Tests that need the guest. Where it cannot run they are skipped and the reason is shown; with CI=true they fail. */
export function describeGuest(name: string, tests: () => void): void {
  const obstacle = guestObstacle();
  if (obstacle) process.stderr.write(`${name}: not tested: ${obstacle}\n`);
  describe.skipIf(obstacle !== undefined && process.env.CI !== 'true')(name, { timeout: GUEST_TEST_MS }, tests);
}
