import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Observer } from '../../lab/fleet/observe.ts';
import { waitFor } from '../../lab/shared/wait-for.ts';
import { CANARY_NODES, partition, SystemUnderTest } from './harness.ts';

/** What the design allows between a watcher's death and the end of the fault. */
const LIFT_MS = 4_000;

interface Evidence {
  state: string;
  revertReason?: string;
  pair: { supervisor: [number, string]; runner: [number, string] };
}

/** Every change waits for one verdict and else for the lift; `rest` has the other tests, and waits for every verdict. */
type Share = 'change' | 'rest';

/**
 * On a replica, so that no failover has to be waited for; whether the fault is there is seen by connecting from a
 * peer, never asked of Holdfast.
 */
export function supervisionSuite(share: Share): void {
  describe('supervision: a fault lives only while someone is watching it', () => supervisionTests(share));
}

function supervisionTests(share: Share): void {
  const isRest = share === 'rest';
  let system: SystemUnderTest;
  let node: string;
  let peer: string;
  let observer: Observer;
  let running: string | undefined;
  const undo: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    system = new SystemUnderTest();
    await system.waitUntilSteady();
    node = await system.replicaOf(CANARY_NODES);
    peer = CANARY_NODES.find((other) => other !== node) ?? '';
    observer = system.observe(node, peer);
  });
  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step();
    // A test that failed in its middle must not hold the cluster against the next one.
    if (running) {
      await system.api.call('POST', `/api/v1/chaos/experiments/${running}/abort`);
      await system.waitUntilOver(running, 150);
    }
    running = undefined;
  });
  afterAll(() => {
    observer.stop();
    system.close();
  });

  /** @returns when the fault was first seen, once it is there and answered for. */
  async function inject(experimentId: string, durationSeconds = 60): Promise<number> {
    const startedMs = Date.now();
    const answer = await system.post(partition(experimentId, node, CANARY_NODES, durationSeconds));
    if (answer.status === 202) running = experimentId;
    expect(answer.body).toMatchObject({ experimentId, status: 'INJECTED' });
    expect(answer.status).toBe(202);
    return observer.waitFor(false, startedMs, 1_000);
  }

  async function evidence(experimentId: string): Promise<Evidence> {
    const { stdout, stderr } = await system.on(node, 'cat', `/run/holdfast/${experimentId}.1/state.json`);
    if (stdout === '') throw new Error(stderr);
    return JSON.parse(stdout) as Evidence;
  }

  /** @returns milliseconds from `fromMs` until the node could be reached again. */
  async function lifted(fromMs: number, timeoutMs = 15_000): Promise<number> {
    return (await observer.waitFor(true, fromMs, timeoutMs)) - fromMs;
  }

  /** However it was cut short, the run ends by itself, rolled back, and frees the cluster for the next one. */
  async function endsAs(experimentId: string, expected: { status?: string; outcome: string }): Promise<void> {
    expect(await system.waitUntilOver(experimentId)).toMatchObject(expected);
    expect(await system.ourRules(node)).toEqual([]);
    expect(await system.programs(node)).toEqual([]);
  }

  async function guardPid(): Promise<string> {
    const processes = (await system.control('GET', '/processes')) as { function: string; pid: number; state: string }[];
    const guards = processes.filter((process) => /guard/i.test(process.function) && process.state === 'busy');
    expect(guards).toHaveLength(1);
    return String(guards[0]?.pid);
  }

  it('lifts the fault within 4 s of a kill -9 of the guard, and the run is aborted', async () => {
    await inject('supervision_guard_killed');
    const pid = await guardPid();
    const killedMs = Date.now();
    // From inside the lab's own pid namespace, in which the number means that process and no other.
    await system.on('vpc', 'kill', '-9', pid);
    expect(await lifted(killedMs)).toBeLessThan(LIFT_MS);
    await endsAs('supervision_guard_killed', { status: 'ABORTED', outcome: 'INCONCLUSIVE' });
  });

  it('lifts the fault within 4 s when the guard hangs and nobody but the host can notice', async () => {
    await inject('supervision_guard_hangs', 10);
    const pid = await guardPid();
    undo.push(() => system.on('vpc', 'kill', '-CONT', pid));
    const stoppedMs = Date.now();
    await system.on('vpc', 'kill', '-STOP', pid);
    expect(await lifted(stoppedMs)).toBeLessThan(LIFT_MS);
    expect((await evidence('supervision_guard_hangs')).revertReason).toBe('LEASE_LOST');
    await system.on('vpc', 'kill', '-CONT', pid);
    if (isRest) await endsAs('supervision_guard_hangs', { outcome: 'INCONCLUSIVE' });
  });

  for (const peerProcess of isRest ? (['supervisor', 'runner'] as const) : (['runner'] as const)) {
    it(`lifts the fault within 4 s of a kill -9 of the watchdog's ${peerProcess}`, async () => {
      const experimentId = `supervision_${peerProcess}_killed`;
      await inject(experimentId, 8);
      const { pair } = await evidence(experimentId);
      const killedMs = Date.now();
      await system.on(node, 'kill', '-9', String(pair[peerProcess][0]));
      expect(await lifted(killedMs)).toBeLessThan(LIFT_MS);
      expect((await evidence(experimentId)).revertReason).toBe('WATCHDOG_DIED');
      if (isRest) await endsAs(experimentId, { outcome: 'INCONCLUSIVE' });
    });
  }

  if (isRest)
    it('lifts the fault within 4 s of a cut of the management interface', async () => {
      await inject('supervision_management_cut', 8);
      undo.push(() => system.on(node, 'ip', 'link', 'set', 'eth1', 'up'));
      const cutMs = Date.now();
      await system.on(node, 'ip', 'link', 'set', 'eth1', 'down');
      expect(await lifted(cutMs)).toBeLessThan(LIFT_MS);
      expect((await evidence('supervision_management_cut')).revertReason).toBe('LEASE_LOST');
      await system.on(node, 'ip', 'link', 'set', 'eth1', 'up');
      if (isRest) await endsAs('supervision_management_cut', { outcome: 'INCONCLUSIVE' });
    });

  if (isRest)
    it('ends the fault by its TTL at the latest when the lease is frozen and the runner hangs', async () => {
      const goneMs = await inject('supervision_runner_hung', 10);
      const { pair } = await evidence('supervision_runner_hung');
      undo.push(() => system.control('POST', '/dynamodb/freeze', { frozen: false }));
      undo.push(() => system.on(node, 'kill', '-CONT', String(pair.runner[0])));
      await system.control('POST', '/dynamodb/freeze', { frozen: true });
      await system.on(node, 'kill', '-STOP', String(pair.runner[0]));
      expect(await lifted(goneMs)).toBeLessThan(10_500);
      await system.control('POST', '/dynamodb/freeze', { frozen: false });
      if (isRest) await endsAs('supervision_runner_hung', { outcome: 'INCONCLUSIVE' });
    });

  if (isRest)
    it('lifts the fault within a second of an abort, and fences nobody on a replica', async () => {
      await inject('supervision_aborted');
      const abortedMs = Date.now();
      const answer = await system.api.call('POST', '/api/v1/chaos/experiments/supervision_aborted/abort');
      expect(answer.status).toBe(202);
      expect(await lifted(abortedMs)).toBeLessThan(1_500);
      if (isRest) await endsAs('supervision_aborted', { status: 'ABORTED', outcome: 'INCONCLUSIVE' });
    });

  if (isRest)
    it('does not cut its own lease on a host whose only interface carries everything', async () => {
      const nodes = ['redis-node-10', 'redis-node-11', 'redis-node-12'];
      const single = await system.replicaOf(nodes);
      const observer = system.observe(single, nodes.find((other) => other !== single) ?? '');
      try {
        const startedMs = Date.now();
        const answer = await system.post(partition('single_interface', single, nodes, 6));
        expect(answer.body).toMatchObject({ status: 'INJECTED' });
        const goneMs = await observer.waitFor(false, startedMs, 1_000);
        // Lost leases would lift it after 3 s.
        expect((await observer.waitFor(true, goneMs, 15_000)) - goneMs).toBeGreaterThan(5_000);
        running = 'single_interface';
        if (isRest) expect((await system.waitUntilOver('single_interface')).status).toBe('COMPLETED');
      } finally {
        observer.stop();
      }
    });

  it('applies nothing when a Run Command with our document is sent past the API', async () => {
    const answer = await system.administrator.runDocument(system.host(node).instanceId, 'network-partition', {
      experimentId: 'past_the_api',
      faultId: 'past_the_api.1',
      ttlSeconds: '30',
      peerAddresses: system.host(peer).dataAddress,
      scope: 'isolate',
      direction: 'both',
      packetLossPct: '100',
      ports: '',
      flap: '',
    });
    expect(answer).toMatchObject({ state: 'REFUSED' });
    expect(await system.ourRules(node)).toEqual([]);
    expect(observer.transitions.at(-1)?.reachable).toBe(true);
    await waitFor('end of the watchdog', 5, async () =>
      (await system.programs(node)).length === 0 ? undefined : 'it still runs',
    );
  });
}
