import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commandOn } from '../../../../lab/cli/exec.ts';
import { hostPower } from '../../../../lab/fleet/host-power.ts';
import { SESSION_VARIABLE } from '../../../../lab/fleet/kafka/configuration.ts';
import type { PartitionHealth } from '../../../../lab/fleet/kafka/health.ts';
import { KAFKA_HOSTS, KAFKA_UNIT, VOLUME } from '../../../../lab/fleet/kafka/hosts.ts';
import { readLab } from '../../../../lab/runtime/lab-file.ts';
import { findSupervisor, startLab, stopLab } from '../../../../lab/runtime/lifecycle.ts';
import { NICENESS } from '../../../../lab/shared/niceness.ts';
import { signalProcess } from '../../../../lab/shared/processes.ts';
import { waitFor } from '../../../../lab/shared/wait-for.ts';
import { ask, askAll } from './in-lab.ts';

const directory = mkdtempSync(join(tmpdir(), 'holdfast-kafka-'));
const names = KAFKA_HOSTS.map(({ name }) => name);

function on(name: string, ...argv: string[]): string {
  const [program = '', ...rest] = commandOn(readLab(directory), name, argv);
  const { status, stdout, stderr } = spawnSync(program, rest, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${argv.join(' ')} on ${name}: ${status} ${stderr}`);
  return stdout.trim();
}

/** Devices of this machine whose file is, or was, in the lab's directory. */
function loopDevices(): string[] {
  const files = readdirSync('/sys/block').map((device) => `/sys/block/${device}/loop/backing_file`);
  return files.filter(existsSync).flatMap((file) => {
    const backing = readFileSync(file, 'utf8').trim();
    return backing.startsWith(directory) ? [backing] : [];
  });
}

const health = async () => (await ask(directory, 'partitions')) as PartitionHealth[];

const isPossible = process.platform === 'linux' && process.getuid?.() === 0;
if (!isPossible) process.stderr.write('the brokers: not tested: they need Linux and root (network namespaces)\n');

describe.skipIf(!isPossible)('the brokers of a lab', () => {
  beforeAll(async () => {
    // Shorter than by default: other leaders are there sooner.
    process.env[SESSION_VARIABLE] = '2000';
    await startLab({ directory, scope: 'fleet', endsWithParent: true, engines: ['kafka'], onProgress: () => {} });
  });

  afterAll(async () => {
    delete process.env[SESSION_VARIABLE];
    await stopLab(directory);
    rmSync(directory, { recursive: true, force: true });
  });

  test('wait for nobody where they have to be heard every 2 s', () => {
    const pid = on('kafka-node-1', 'systemctl', 'show', '-p', 'MainPID', '--value', KAFKA_UNIT);
    const threads = on('kafka-node-1', 'ps', '-L', '-o', 'ni=', '-p', pid).split('\n');
    expect(new Set(threads.map(Number))).toEqual(new Set([NICENESS.serving]));
    const session = on('kafka-node-1', 'sh', '-c', `cat /proc/${pid}/autogroup 2>/dev/null || echo no autogroups`);
    expect(session).toMatch(/ nice 0$|^no autogroups$/);
  });

  test('lead one partition of each topic each and have every copy in sync, with one of them leading the quorum', async () => {
    const all = await health();
    expect(all).toHaveLength(9);
    for (const { topic, partition, leader, inSync } of all) {
      expect(leader, `${topic}-${partition}`).toBe(names[partition]);
      expect([...inSync].sort(), `${topic}-${partition}`).toEqual(names);
    }
    expect(names).toContain(await ask(directory, 'quorumLeader'));
  });

  test('let nobody in without TLS, a login that they know, or a client that knows their authority', async () => {
    const ways = ['log in with a wrong password', 'trust nobody', 'speak plain text', 'speak without a login'] as const;
    const answers = await askAll(directory, 'application', ...ways);
    for (const [index, way] of ways.entries()) expect(answers[index], way).toMatch(/^refused: /);
    expect(answers[0]).toMatch(/SASL_AUTHENTICATION_FAILED/);
    expect(answers[1]).toMatch(/unable to verify the first certificate/);
    expect(await askAll(directory, 'nobody', 'produce to orders')).toEqual([
      expect.stringMatching(/^refused: .*SASL_AUTHENTICATION_FAILED/),
    ]);
  });

  test('let the product see everything, write to its own topic and change nothing', async () => {
    const may = ['see the topics', 'see the configuration', 'see the quorum', 'produce to the probe'] as const;
    const mayNot = ['produce to orders', 'make a topic', 'delete orders', 'change a broker'] as const;
    expect(await askAll(directory, 'holdfast', ...may)).toEqual([
      ['holdfast-probe', 'orders', 'receipts'],
      ['1'],
      3,
      1,
    ]);
    const refusals = await askAll(directory, 'holdfast', ...mayNot);
    for (const [index, what] of mayNot.entries())
      expect(refusals[index], what).toMatch(/^refused: .*(TOPIC|CLUSTER)_AUTHORIZATION_FAILED/);
  });

  test('let an application write its orders and nothing of the product', async () => {
    const all = await askAll(directory, 'application', 'produce to orders', 'produce to the probe', 'read the rights');
    expect(all).toEqual([
      1,
      expect.stringMatching(/^refused: .*TOPIC_AUTHORIZATION_FAILED/),
      expect.stringMatching(/^refused: .*CLUSTER_AUTHORIZATION_FAILED/),
    ]);
  });

  test('keep their logs on a volume of their own, under a user of their own, as the main process of their unit', () => {
    const [name = ''] = names;
    expect(on(name, 'findmnt', '-no', 'SOURCE,FSTYPE', VOLUME)).toMatch(/^\/dev\/loop\d+ +ext4$/);
    expect(loopDevices()).toHaveLength(names.length);
    const pid = on(name, 'systemctl', 'show', '-p', 'MainPID', '--value', KAFKA_UNIT);
    expect(on(name, 'ps', '-o', 'user=,comm=', '-p', pid)).toMatch(/^kafka +java$/);
    expect(on(name, 'cat', `/proc/${pid}/cmdline`)).toContain('kafka.Kafka');
    // Of the host alone.
    expect(() => readFileSync(VOLUME)).toThrow('ENOENT');
  });

  test('lose a host that is stopped like a machine, and have it in sync again once it is started', async () => {
    const [, host] = KAFKA_HOSTS;
    if (host === undefined) throw new Error('no second host');
    const power = hostPower(directory);
    await power.stop(host);
    const others = names.filter((name) => name !== host.name);
    await waitFor('other leaders', 20, async () => {
      const all = await health();
      const led = all.every(
        ({ leader, inSync }) => leader !== undefined && leader !== host.name && inSync.length === 2,
      );
      return led ? undefined : JSON.stringify(all);
    });
    expect([...((await health())[0]?.inSync ?? [])].sort()).toEqual(others);
    await power.start(host);
    expect(await ask(directory, 'replicated')).toBeNull();
  });

  test('leave no loop device behind when the supervisor of their lab is killed', async () => {
    const supervisor = findSupervisor(directory);
    if (supervisor === undefined) throw new Error('no supervisor');
    expect(loopDevices()).toHaveLength(names.length);
    signalProcess(supervisor, 'SIGKILL');
    await waitFor('end of the devices', 10, () => loopDevices()[0]);
  });
});
