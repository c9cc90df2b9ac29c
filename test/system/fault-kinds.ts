import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../../lab/shared/wait-for.ts';
import { CANARY_NODES, SystemUnderTest } from './harness.ts';

const DATA_DIRECTORY = '/var/lib/redis';
const MEBIBYTE = 1024 * 1024;

/** Pids of the processes that carry a fault on a host, found by their mark. */
const WORKERS = `grep -lz '^HOLDFAST_WORKER=' /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3 | sort -n`;

type Share = 'change' | 'rest';

/** The same path for every kind: API, admission, state machine, Run Command, host, rollback, verification. */
export function faultKinds(share: Share): void {
  describe('every kind that this machine can have takes the same way, there and back', () => faultKindTests(share));
}

function faultKindTests(share: Share): void {
  let system: SystemUnderTest;
  let replica: string;
  let running: string | undefined;

  beforeAll(async () => {
    system = new SystemUnderTest();
    await system.waitUntilSteady();
    replica = await system.replicaOf(CANARY_NODES);
  });
  afterEach(async () => {
    if (running) {
      await system.api.call('POST', `/api/v1/chaos/experiments/${running}/abort`);
      await system.waitUntilOver(running, 150);
    }
    running = undefined;
  });
  afterAll(() => system.close());

  const safetyThreshold = { maxAlertSeverity: 'WARNING', automaticRollbackOnAlert: true };

  async function start(experimentId: string, durationSeconds: number, rest: object) {
    const answer = await system.post({ experimentId, durationSeconds, safetyThreshold, ...rest });
    if (answer.status === 202) running = experimentId;
    return answer;
  }

  async function shell(host: string, command: string): Promise<string> {
    return (await system.on(host, 'bash', '-c', command)).stdout.trim();
  }

  async function freeBytes(): Promise<number> {
    return Number(await shell(replica, `stat -f -c '%a * %S' ${DATA_DIRECTORY}`).then(product));
  }

  async function workers(): Promise<string[]> {
    return (await shell(replica, WORKERS)).split('\n').filter(Boolean);
  }

  async function expectClean(): Promise<void> {
    expect(await workers()).toEqual([]);
    expect(await system.ourRules(replica)).toEqual([]);
    expect(await system.programs(replica)).toEqual([]);
    expect(await shell(replica, 'ls -d /sys/fs/cgroup/*/holdfast-* 2>/dev/null')).toBe('');
  }

  if (share === 'rest') {
    it('fills the data volume of one node and gives every byte of it back', async () => {
      const before = await freeBytes();
      const parameters = { targetNodes: [replica], fillPct: 100, reserveBytes: 32 * MEBIBYTE };
      const answer = await start('kinds_disk_full', 10, {
        targetService: 'redis-master',
        action: 'DISK_FULL',
        parameters,
      });
      expect(answer).toMatchObject({ status: 202, body: { status: 'INJECTED' } });
      await waitFor('the full disk', 10, async () => {
        const free = await freeBytes();
        return free <= 40 * MEBIBYTE ? undefined : `${free} bytes free`;
      });
      // Stops short of the reserve: it may be used up by the store, never by us.
      expect(await freeBytes()).toBeGreaterThan(24 * MEBIBYTE);
      const end = await system.waitUntilOver('kinds_disk_full');
      expect(end.status).toBe('COMPLETED');
      expect(before - (await freeBytes())).toBeLessThan(32 * MEBIBYTE);
      await expectClean();
    });
    it('applies several faults in their order, and ends them all together', async () => {
      const target = { targetService: 'redis-master' };
      const answer = await start('kinds_ordered', 14, {
        faults: [
          {
            ...target,
            name: 'cpu',
            action: 'CPU_SPIKE',
            parameters: { targetNodes: [replica], cores: 1, loadPct: 20 },
          },
          {
            ...target,
            name: 'disk',
            action: 'DISK_IO',
            parameters: { targetNodes: [replica], bytesPerSecond: MEBIBYTE },
            after: 'cpu',
            offsetSeconds: 5,
          },
        ],
      });
      expect(answer).toMatchObject({ status: 202, body: { status: 'INJECTED' } });
      const first = await workers();
      expect(first).toHaveLength(1);
      await waitFor('the second fault', 15, async () => {
        const now = await workers();
        return now.length === 2 ? undefined : `${now.length} workers`;
      });
      expect(await workers()).toContain(first[0]);
      const end = await system.waitUntilOver('kinds_ordered');
      expect(end.status).toBe('COMPLETED');
      const injected = end.timeline.filter(({ type }) => type === 'INJECTED').map(({ at }) => Date.parse(at));
      expect(injected).toHaveLength(2);
      expect((injected[1] ?? 0) - (injected[0] ?? 0)).toBeGreaterThan(4_000);
      await expectClean();
    });

    return;
  }

  it('names what this machine lacks for CLOCK_DRIFT, and leaves nothing behind', async () => {
    const parameters = { targetNodes: [replica], offsetMs: 100 };
    await start('kinds_clock_drift', 10, { targetService: 'redis-master', action: 'CLOCK_DRIFT', parameters });
    const end = await system.waitUntilOver('kinds_clock_drift');
    expect(end.status).toBe('ABORTED');
    expect(JSON.stringify(end)).toMatch(/clock/);
    await expectClean();
  });

  it('delays what one node sends to the others, with netem or without, and nothing afterwards', async () => {
    const others = CANARY_NODES.filter((node) => node !== replica);
    const roundTripMs = async () => {
      const { stdout } = await system.on(replica, 'ping', '-c1', '-W2', others[0] ?? '');
      return Number(/time=([\d.]+) ms/.exec(stdout)?.[1]);
    };
    expect(await roundTripMs()).toBeLessThan(40);
    const parameters = { targetNodes: [replica], toNodes: others, latencyMs: 80 };
    // A composite alarm that would end it, were it not expected.
    const alarm = { name: 'orders late / "eu-west-1"', alarmRule: 'ALARM("orders") AND ALARM("late")' };
    const answer = await start('kinds_network_latency', 10, {
      targetService: 'redis-master',
      action: 'NETWORK_LATENCY',
      parameters,
      expectedAlerts: [{ name: alarm.name, withinSeconds: 10 }],
    });
    expect(answer).toMatchObject({ status: 202, body: { status: 'INJECTED' } });
    const firedMs = Date.now();
    await system.control('POST', '/alarms', { ...alarm, state: 'ALARM' });
    expect(await roundTripMs()).toBeGreaterThan(79);
    const end = await system.waitUntilOver('kinds_network_latency').finally(() => {
      return system.control('POST', '/alarms', { ...alarm, state: 'OK' });
    });
    expect(end.status, end.reason ?? '').toBe('COMPLETED');
    const [arrived] = end.checks ?? [];
    expect(arrived).toMatchObject({ name: alarm.name, result: 'HELD', measured: 1 });
    expect(Date.parse(arrived?.arrivedAt ?? '') - firedMs).toBeLessThan(3_000);
    expect(await roundTripMs()).toBeLessThan(40);
    await expectClean();
  });

  it('refuses at admission what the cluster may not have', async () => {
    const parameters = { targetNodes: [replica], offsetMs: 60_000 };
    const answer = await start('kinds_drift_refused', 10, {
      targetService: 'redis-master',
      action: 'CLOCK_DRIFT',
      parameters,
    });
    expect(answer.status).toBe(422);
    expect(JSON.stringify(answer.body)).toMatch(/disposable/);
  });
}

function product(text: string): number {
  return text.split('*').reduce((result, factor) => result * Number(factor), 1);
}
