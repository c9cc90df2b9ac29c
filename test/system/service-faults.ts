import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Observer } from '../../lab/fleet/observe.ts';
import { waitFor } from '../../lab/shared/wait-for.ts';
import { CANARY_NODES, SystemUnderTest } from './harness.ts';

/** From the guard's last heartbeat to the alarm: 30 s in the lab, which evaluates it every second; then FIS starts it. */
const HEARTBEAT_BOUND_MS = 40_000;

/** The event, a cold start, a second of the guard, and the step of the machine. */
const EARLY_END_BOUND_MS = 5_000;

interface FisView {
  templates: string[];
  experiments: { id: string; tags: Record<string, string>; state: string; reason: string }[];
}

type Share = 'change' | 'rest';

/** Faults in FIS: the instance is seen from outside, by connections and by what the stand-in for EC2 has done to it. */
export function serviceFaults(share: Share): void {
  describe('faults that a service applies', () => serviceFaultTests(share));
}

function serviceFaultTests(share: Share): void {
  let system: SystemUnderTest;
  let node: string;
  let observer: Observer;
  const undo: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    system = new SystemUnderTest();
    node = await system.replicaOf(CANARY_NODES);
    observer = system.observe(node, CANARY_NODES.find((other) => other !== node) ?? '');
  });
  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step();
  });
  afterAll(() => {
    observer.stop();
    system.close();
  });

  const post = (experimentId: string, action: string, durationSeconds: number) => {
    undo.push(async () => {
      await system.api.call('POST', `/api/v1/chaos/experiments/${experimentId}/abort`);
      await system.waitUntilOver(experimentId, 170);
    });
    return system.post({
      experimentId,
      targetService: 'redis-master',
      action,
      parameters: { targetNodes: [node] },
      durationSeconds,
      safetyThreshold: { maxAlertSeverity: 'WARNING', automaticRollbackOnAlert: true },
    });
  };
  const fis = async () => (await system.control('GET', '/fis')) as FisView;
  const ofExperiment = async (experimentId: string) =>
    (await fis()).experiments.filter(({ tags }) => tags['holdfast-experiment'] === experimentId);
  const instanceState = async () => ((await system.control('GET', '/instances')) as Record<string, string>)[node];
  const untilInjected = async (experimentId: string) => {
    const types = async () => (await system.experiment(experimentId)).timeline.map(({ type }) => type);
    await waitFor('injection', 100, async () => {
      const seen = await types();
      return seen.some((type) => ['INJECTED', 'ROLLING_BACK'].includes(type)) ? undefined : seen.at(-1);
    });
    expect(await types()).not.toContain('ROLLING_BACK');
  };

  if (share === 'rest') {
    it('stops the instance for as long as it is watched, and at the TTL it serves again with nothing left in FIS', async () => {
      await system.waitUntilSteady();
      const postedMs = Date.now();
      expect((await post('instance_stopped', 'INSTANCE_STOP', 20)).status).toBe(202);
      await untilInjected('instance_stopped');
      await observer.waitFor(false, postedMs, 5_000);
      await waitFor('stop of the instance', 20, async () => {
        const state = await instanceState();
        return state === 'stopped' ? undefined : state;
      });
      expect(await ofExperiment('instance_stopped')).toMatchObject([{ state: 'running' }]);

      expect(await system.waitUntilOver('instance_stopped', 150)).toMatchObject({ status: 'COMPLETED' });
      expect(await instanceState()).toBe('running');
      expect(await system.replicationOf(node)).toContain('master_link_status:up');
      expect(await ofExperiment('instance_stopped')).toMatchObject([{ state: 'stopped' }]);
      expect((await fis()).templates).toEqual([]);
    });

    it('reboots the instance once, and is done when it serves again', async () => {
      await system.waitUntilSteady();
      const postedMs = Date.now();
      expect((await post('instance_rebooted', 'INSTANCE_REBOOT', 15)).status).toBe(202);
      await untilInjected('instance_rebooted');
      const downMs = await observer.waitFor(false, postedMs, 10_000);
      await observer.waitFor(true, downMs, 15_000);
      expect(await system.waitUntilOver('instance_rebooted', 150)).toMatchObject({ status: 'COMPLETED' });
      expect(await ofExperiment('instance_rebooted')).toMatchObject([{ state: 'completed' }]);
      expect(await instanceState()).toBe('running');
      expect((await fis()).templates).toEqual([]);
    });
    it('ends the run at once when somebody else stops the fault in the service', async () => {
      await system.waitUntilSteady();
      expect((await post('stopped_by_another', 'INSTANCE_STOP', 120)).status).toBe(202);
      await untilInjected('stopped_by_another');
      const [running] = await ofExperiment('stopped_by_another');
      const stoppedMs = Date.now();
      await system.administrator.stopFisExperiment(running?.id ?? '');
      const over = await system.waitUntilOver('stopped_by_another', 170);
      const rollingBack = over.timeline.find(({ type }) => type === 'ROLLING_BACK');
      const tookMs = Date.parse(rollingBack?.at ?? '') - stoppedMs;
      console.info(`stop in FIS → rollback of the run: ${tookMs} ms`);
      expect(tookMs).toBeLessThan(EARLY_END_BOUND_MS);
      expect(over).toMatchObject({ status: 'ABORTED', outcome: 'INCONCLUSIVE' });
      // FIS tells both states, and EventBridge keeps no order.
      const summaries = over.timeline.filter(({ type }) => type === 'ABORT_REQUESTED').map(({ summary }) => summary);
      expect(summaries).toContainEqual(expect.stringMatching(/FIS experiment \S+ is stopp(ing|ed)/));
      expect(await instanceState()).toBe('running');
      expect((await fis()).templates).toEqual([]);
    });

    it('gives the instance back when the guard hangs and nobody but the alarm over its heartbeat can notice', async () => {
      await system.waitUntilSteady();
      const postedMs = Date.now();
      expect((await post('guard_hangs_in_service', 'INSTANCE_STOP', 120)).status).toBe(202);
      await untilInjected('guard_hangs_in_service');
      await observer.waitFor(false, postedMs, 5_000);
      const guard = await system.busyGuard();
      undo.push(() => guard.signal('CONT'));
      const stoppedMs = Date.now();
      await guard.signal('STOP');
      expect((await observer.waitFor(true, stoppedMs, 90_000)) - stoppedMs).toBeLessThan(HEARTBEAT_BOUND_MS);
      expect(await ofExperiment('guard_hangs_in_service')).toMatchObject([
        { state: 'stopped', reason: expect.stringContaining('guard-heartbeat-redis-master') },
      ]);
      // It was none of the control plane's doing: that holds until the TTL.
      const { timeline } = await system.experiment('guard_hangs_in_service');
      expect(timeline.map(({ type }) => type)).not.toContain('ROLLING_BACK');
    });

    return;
  }

  it('rolls back and says why when the service cannot apply the fault, and leaves no template', async () => {
    await system.waitUntilSteady();
    expect((await post('volume_paused', 'VOLUME_PAUSE_IO', 30)).status).toBe(202);
    const over = await system.waitUntilOver('volume_paused', 120);
    expect(over.status).toBe('ABORTED');
    expect(JSON.stringify(over)).toContain('the lab has no EBS volumes');
    expect(await ofExperiment('volume_paused')).toMatchObject([{ state: 'failed' }]);
    expect((await fis()).templates).toEqual([]);
  });
}
