import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commandOn } from '../../../lab/cli/exec.ts';
import { hostPower } from '../../../lab/fleet/host-power.ts';
import { REDIS_HOSTS, REDIS_UNIT } from '../../../lab/fleet/redis/hosts.ts';
import { readLab } from '../../../lab/runtime/lab-file.ts';
import { findSupervisor, readStatus, startLab, stopLab } from '../../../lab/runtime/lifecycle.ts';
import { LAB_FILES } from '../../../lab/shared/files.ts';
import { identify, isRunning, outerPids, type ProcessIdentity, signalProcess } from '../../../lab/shared/processes.ts';
import { waitFor } from '../../../lab/shared/wait-for.ts';
import { expectDeclaredOnly, ON_THIS_MACHINE } from '../../commands/expect-declared.ts';

const START_TIMEOUT_MS = 60_000;
const directory = mkdtempSync(join(tmpdir(), 'holdfast-lab-'));

function on(name: string, ...argv: string[]): { status: number | null; stdout: string; stderr: string } {
  const [program = '', ...rest] = commandOn(readLab(directory), name, argv);
  const { status, stdout, stderr } = spawnSync(program, rest, { encoding: 'utf8' });
  return { status, stdout: stdout.trim(), stderr };
}

/** @returns `connected`, or why there is no connection; empty when the attempt itself did not run. */
function connect(from: string, address: string, port: number): string {
  const program = [
    'import socket, sys',
    'try: socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=1); print("connected")',
    'except OSError as error: print(error.strerror or error)',
  ].join('\n');
  return on(from, '/usr/bin/python3', '-c', program, address, String(port)).stdout;
}

/** Adds a route on a host while `work` runs. */
function withRoute(name: string, to: string, via: string, work: () => void): void {
  const route = (verb: string) => expect(on(name, 'ip', 'route', verb, to, 'via', via)).toMatchObject({ status: 0 });
  route('add');
  try {
    work();
  } finally {
    route('del');
  }
}

function mainPid(name: string): number {
  return Number(on(name, 'systemctl', 'show', '-p', 'MainPID', '--value', REDIS_UNIT).stdout);
}

/** What a leaking lab would leave on the machine, apart from processes. */
function machineState(): object {
  const networks = execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' });
  const links = execFileSync('ip', ['-o', 'link', 'show'], { encoding: 'utf8' }).replaceAll(/ qdisc .*/g, '');
  return { mounts: readFileSync('/proc/self/mountinfo', 'utf8'), networks, links, etc: readdirSync('/etc') };
}

function everyProcess(): ProcessIdentity[] {
  const inside = readLab(directory).pids.inside;
  const pids = inside === undefined ? [] : [...outerPids(inside).values()];
  return pids.map(identify).filter((identity) => identity !== undefined);
}

async function expectAllGone(processes: ProcessIdentity[], before: object): Promise<void> {
  expect(processes.length).toBeGreaterThan(24);
  await waitFor('end of all processes', 10, () => processes.find(isRunning)?.pid.toString());
  expect(machineState()).toEqual(before);
}

const isPossible = process.platform === 'linux' && process.getuid?.() === 0;
if (!isPossible) process.stderr.write('the lab: not tested: it needs Linux and root (network namespaces)\n');

describe.skipIf(!isPossible)('the lab', () => {
  const before = machineState();

  beforeAll(async () => {
    await startLab({ directory, scope: 'fleet', endsWithParent: false, onProgress: () => {} });
  }, START_TIMEOUT_MS);

  afterAll(async () => {
    await stopLab(directory);
    rmSync(directory, { recursive: true, force: true });
  }, START_TIMEOUT_MS);

  test('has the commands that are declared and no others on its hosts', () =>
    expectDeclaredOnly(async (script) => on('redis-node-1', 'sh', '-c', script).stdout, ON_THIS_MACHINE));

  test('lets every host reach every store and Sentinel by name', () => {
    const program = [
      'import socket, sys',
      'for name in sys.argv[1:]:',
      '  for port in (6379, 26379):',
      '    socket.create_connection((name, port), timeout=2).close()',
    ].join('\n');
    const names = REDIS_HOSTS.flatMap((host) => [host.name, `${host.name}.holdfast.internal`]);
    for (const viewer of ['redis-node-1', 'redis-node-12', 'vpc', 'gateway-1']) {
      expect(on(viewer, '/usr/bin/python3', '-c', program, ...names)).toMatchObject({ status: 0, stderr: '' });
    }
  });

  test('gives the hosts of the last shard one interface, through which they reach AWS', () => {
    expect(on('redis-node-12', 'getent', 'hosts', 'aws.holdfast.internal').stdout).toMatch(/^10\.77\.0\.1 /);
    expect(on('redis-node-1', 'getent', 'hosts', 'aws.holdfast.internal').stdout).toMatch(/^10\.78\.0\.1 /);
    expect(on('redis-node-12', 'ip', '-o', '-4', 'addr').stdout).not.toContain('10.78.');
  });

  test('lets no packet cross from the data plane to the management plane', () => {
    const prometheus = ['10.78.0.3', 9090] as const;
    expect(connect('redis-node-1', ...prometheus)).toBe('connected');
    expect(connect('redis-node-12', ...prometheus)).toBe('Network is unreachable');
    withRoute('redis-node-12', '10.78.0.0/16', '10.77.0.1', () => {
      expect(connect('redis-node-12', ...prometheus)).toBe('timed out');
    });
  });

  test('lets a Lambda without a VPC reach AWS and neither a store nor Prometheus, by name or by address', () => {
    expect(on('lambda', 'getent', 'hosts', 'aws.holdfast.internal').stdout).toMatch(/^10\.79\.0\.1 /);
    // The cable is there: only nothing listens, as this lab has no AWS side.
    expect(connect('lambda', '10.79.0.1', 443)).toBe('Connection refused');
    for (const name of ['redis-node-3', 'prometheus']) {
      expect(on('lambda', 'getent', 'hosts', name)).toMatchObject({ status: 2, stdout: '' });
    }
    const inside = [
      ['redis-node-3', '10.77.0.13', 6379, '10.77.0.1'],
      ['prometheus', '10.77.0.3', 9090, '10.77.0.1'],
      ['prometheus', '10.78.0.3', 9090, '10.78.0.1'],
    ] as const;
    for (const [name, address, port, root] of inside) {
      expect(connect('vpc', address, port)).toBe('connected');
      expect(connect('lambda', address, port)).toBe('Network is unreachable');
      // There and back by the lab's root: it must not forward.
      withRoute('lambda', 'default', '10.79.0.1', () => {
        withRoute(name, '10.79.0.0/30', root, () => expect(connect('lambda', address, port)).toBe('timed out'));
      });
    }
  });

  test('refuses store commands without the password, which is on no command line', () => {
    expect(on('redis-node-1', 'redis-cli', 'ping').stdout).toContain('NOAUTH');
    expect(on('redis-node-1', 'redis-cli', '-p', '26379', 'ping').stdout).toContain('NOAUTH');
    const secret = JSON.parse(readFileSync(join(directory, LAB_FILES.storeSecret), 'utf8')) as { password: string };
    expect(secret.password).toMatch(/^[0-9a-f]{48}$/);
    expect(on('redis-node-1', 'cat', '/etc/holdfast/application.json').stdout).toContain(secret.password);
    const commandLines = everyProcess().map(({ pid }) => readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
    expect(commandLines.filter((line) => line.includes(secret.password))).toEqual([]);
  });

  test('leaves a killed store dead until systemctl starts it', async () => {
    const host = 'redis-node-8';
    const pid = mainPid(host);
    expect(on(host, 'systemctl', 'show', '-p', 'Restart', '--value', REDIS_UNIT).stdout).toBe('no');
    expect(on(host, 'systemctl', 'is-active', REDIS_UNIT)).toMatchObject({ status: 0, stdout: 'active' });
    expect(on(host, 'kill', '-KILL', String(pid)).status).toBe(0);
    const isActive = (): string | undefined => (mainPid(host) === 0 ? undefined : 'still active');
    await waitFor('death noticed', 5, isActive);
    // Longer than the agent, the one thing that is restarted by itself, waits before it comes back.
    const observedUntil = performance.now() + 3_000;
    while (performance.now() < observedUntil) expect(mainPid(host)).toBe(0);
    expect(on(host, 'systemctl', 'is-active', REDIS_UNIT)).toMatchObject({ status: 3, stdout: 'failed' });
    expect(on(host, 'systemctl', 'start', REDIS_UNIT)).toMatchObject({ status: 0, stderr: '' });
    expect(mainPid(host)).toBeGreaterThan(pid);
  });

  test('ends a paused store when it is told to restart', () => {
    const host = 'redis-node-7';
    const pid = mainPid(host);
    on(host, 'kill', '-STOP', String(pid));
    expect(on(host, 'systemctl', 'restart', `${REDIS_UNIT}.service`)).toMatchObject({ status: 0, stderr: '' });
    expect(mainPid(host)).toBeGreaterThan(pid);
  });

  test(
    'stops a host like a machine, with nothing of its runtime left, and starts it with what is on its disk',
    async () => {
      const host = REDIS_HOSTS.find(({ name }) => name === 'redis-node-9');
      if (host === undefined) throw new Error('no redis-node-9');
      const power = hostPower(directory);
      const stayed = readLab(directory).hosts.find(({ name }) => name === host.name)?.pid;
      on(host.name, 'iptables', '-A', 'INPUT', '-s', '192.0.2.1', '-j', 'DROP');
      on(host.name, 'sh', '-c', 'mkdir -p /run/holdfast && touch /run/holdfast/x /tmp/x /var/lib/redis/kept');
      on(host.name, 'sh', '-c', 'setsid sleep 1000 </dev/null >/dev/null 2>&1 &');
      expect(connect('redis-node-7', host.dataAddress, 6379)).toBe('connected');

      await power.stop(host);
      expect(connect('redis-node-7', host.dataAddress, 6379)).toMatch(/timed out|No route to host/);
      const left = on(host.name, 'ps', '-eo', 'args=').stdout.split('\n');
      expect(left.filter((line) => !/host-init|ps -eo/.test(line))).toEqual([]);
      expect(on(host.name, 'systemctl', 'start', REDIS_UNIT).stderr).toContain('the host is stopped');

      await power.start(host);
      await waitFor('store', 10, () =>
        connect('redis-node-7', host.dataAddress, 6379) === 'connected' ? undefined : 'no store',
      );
      expect(on(host.name, 'iptables-save').stdout).not.toContain('192.0.2.1');
      expect(on(host.name, 'ls', '/run/holdfast').status).not.toBe(0);
      expect(on(host.name, 'ls', '/tmp').stdout).toBe('');
      expect(on(host.name, 'ls', '/var/lib/redis/kept').status).toBe(0);
      expect(readLab(directory).hosts.find(({ name }) => name === host.name)?.pid).toBe(stayed);
    },
    START_TIMEOUT_MS,
  );

  test('refuses systemctl commands it does not do', () => {
    for (const command of [
      ['daemon-reload'],
      ['kill', REDIS_UNIT],
      ['show', REDIS_UNIT],
      ['show', '-p', 'ActiveState', REDIS_UNIT],
    ]) {
      expect(on('redis-node-1', 'systemctl', ...command)).toMatchObject({ status: 1, stdout: '' });
    }
    expect(on('redis-node-1', 'systemctl', 'start', 'nothing').status).toBe(5);
  });

  test('passes the exit code of a command on', () => {
    expect(on('redis-node-1', 'sh', '-c', 'exit 7').status).toBe(7);
    expect(on('load', 'sh', '-c', 'exit 7').status).toBe(7);
    expect(() => on('redis-node-13', 'true')).toThrow(/redis-node-12/);
  });

  test('refuses a second lab in the same place', async () => {
    await expect(startLab({ directory, scope: 'fleet', endsWithParent: false, onProgress: () => {} })).rejects.toThrow(
      /already up/,
    );
  });

  test('reports a part that has died', async () => {
    const prometheus = readLab(directory).pids.prometheus;
    if (prometheus === undefined) throw new Error('Prometheus is not in lab.json');
    process.kill(prometheus, 'SIGKILL');
    await waitFor('report', 5, () => (readStatus(directory).prometheus?.state === 'died' ? undefined : 'running'));
    expect(readStatus(directory).prometheus?.reason).toContain('SIGKILL');
  });

  test('leaves no process, mount, network or secret behind after down', async () => {
    const processes = everyProcess();
    expect(await stopLab(directory)).toBe(true);
    await expectAllGone(processes, before);
    expect(readdirSync(directory)).toEqual(['log']);
    expect(await stopLab(directory)).toBe(false);
  });

  test(
    'leaves nothing behind when its supervisor is killed',
    async () => {
      await startLab({ directory, scope: 'fleet', endsWithParent: false, onProgress: () => {} });
      const processes = everyProcess();
      const supervisor = findSupervisor(directory);
      if (supervisor === undefined) throw new Error('no supervisor');
      signalProcess(supervisor, 'SIGKILL');
      await expectAllGone(processes, before);
    },
    START_TIMEOUT_MS,
  );

  test(
    'leaves nothing behind when the process that it ends with is killed',
    async () => {
      const program = `
      import { startLab } from ${JSON.stringify(join(import.meta.dirname, '../../../lab/runtime/lifecycle.ts'))};
      await startLab({ directory: ${JSON.stringify(directory)}, scope: 'fleet', endsWithParent: true, onProgress: () => {} });
      process.stdout.write('up');
      setInterval(() => {}, 1000);`;
      const holder = spawn(process.execPath, ['--input-type=module', '--eval', program], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await once(holder.stdout, 'data');
      const processes = everyProcess();
      const supervisor = findSupervisor(directory);
      holder.kill('SIGKILL');
      await expectAllGone(supervisor === undefined ? processes : [...processes, supervisor], before);
    },
    START_TIMEOUT_MS,
  );
});
