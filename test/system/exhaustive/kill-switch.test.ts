import { describe, expect, it } from 'vitest';
import { ROLLBACK_BEGINS_MS } from '../../../functions/domain/timing.ts';
import { GATEWAY_PORT, serviceNamed } from '../../../lab/shared/topology.ts';
import { waitFor } from '../../../lab/shared/wait-for.ts';
import { killSwitchOf, outages, stepsOf } from '../kill-switch.ts';
import { partitions } from '../partitions.ts';

/** From the request to the packets: the record, the row, the host's next poll, and its revert. */
const LIFTED_WITHIN_MS = 1_500;
const TOLD = 'CRITICAL Holdfast: engaged kill switch: all clusters: a drill: kill_without_audit';
const ALL_DONE = { SWITCH: 'DONE', LEASES: 'DONE', SAFETY_LEVER: 'DONE', HOSTS: 'DONE' };

describe('the kill switch works', () => {
  const tests = partitions();
  const killSwitch = killSwitchOf(() => tests.system);

  /** @returns the answer, once the fault is gone */
  async function engageAndSeeLifted(
    experimentId: string,
    disturb: () => Promise<unknown>,
    restore: () => Promise<unknown>,
  ) {
    await tests.system.waitUntilSteady();
    const { observer } = await tests.inject(experimentId);
    tests.undo.push(() => killSwitch.reArmWhenOver());
    tests.undo.push(restore);
    await disturb();
    const engagedMs = Date.now();
    const engaging = killSwitch.engage(`a drill: ${experimentId}`);
    expect((await observer.waitFor(true, engagedMs, 10_000)) - engagedMs).toBeLessThan(LIFTED_WITHIN_MS);
    const answer = await engaging;
    expect(answer).toMatchObject({ status: 200, body: { engaged: true } });
    await restore();
    expect((await tests.system.waitUntilOver(experimentId)).status).toBe('ABORTED');
    return answer;
  }

  it('while Step Functions is down', async () => {
    const { system } = tests;
    const answer = await engageAndSeeLifted(
      'kill_without_orchestration',
      () => outages(system, [{ service: 'states' }]),
      () => outages(system, []),
    );
    expect(stepsOf(answer)).toEqual(ALL_DONE);
  });

  it('while the audit table does not answer, says that it is not on record, and people are told by the sweep', async () => {
    const { system } = tests;
    const answer = await engageAndSeeLifted(
      'kill_without_audit',
      () => outages(system, [{ service: 'dynamodb', resource: 'AuditTable' }]),
      () => outages(system, []),
    );
    expect(stepsOf(answer)).toEqual({ ...ALL_DONE, HOSTS: 'FAILED' });
    expect(answer.body).toMatchObject({ recorded: false });
    await system.administrator.invoke('Sweep');
    await waitFor('people are told', 20, async () => {
      const messages = (await system.control('GET', '/messages')) as { subject?: string }[];
      const isTold = messages.some(({ subject }) => subject?.startsWith(TOLD));
      return isTold ? undefined : JSON.stringify(messages.slice(-3));
    });
  });

  it('while Prometheus is down', async () => {
    const prometheus = tests.system.lab.pids.prometheus;
    if (prometheus === undefined) throw new Error('lab.json has no pid of Prometheus');
    const answer = await engageAndSeeLifted(
      'kill_without_prometheus',
      async () => process.kill(prometheus, 'SIGSTOP'),
      async () => process.kill(prometheus, 'SIGCONT'),
    );
    expect(stepsOf(answer)).toEqual(ALL_DONE);
  });

  it('while the guard hangs: the sweep stops the execution a minute later, and rolls back', async () => {
    const { system } = tests;
    await system.waitUntilSteady();
    const { observer } = await tests.inject('kill_while_guard_hangs');
    tests.undo.push(() => killSwitch.reArmWhenOver());
    const guard = await system.busyGuard();
    tests.undo.push(() => guard.signal('CONT'));
    await guard.signal('STOP');
    const engagedMs = Date.now();
    const engaging = killSwitch.engage('a drill');
    await observer.waitFor(true, engagedMs, 10_000);
    expect(stepsOf(await engaging)).toEqual(ALL_DONE);
    // Until then it leaves the execution alone, which could still roll back by itself.
    expect(await system.administrator.invoke('Sweep')).toMatchObject({ 'redis-master': 'within its time' });
    const { timeline } = await system.experiment('kill_while_guard_hangs');
    expect(timeline.map(({ type }) => type)).not.toContain('ROLLING_BACK');
    await system.sleepUntil(engagedMs + ROLLBACK_BEGINS_MS + 1_000);
    // Its own minute may have come first.
    expect(await system.administrator.invoke('Sweep')).toMatchObject({
      'redis-master': expect.stringMatching(/^rollback (started|under way)$/),
    });
    const over = await system.waitUntilOver('kill_while_guard_hangs');
    expect(over.status).toBe('ABORTED');
    // The guard is stopped still: nobody but the sweep can have ended it.
    expect(over.timeline.map(({ type }) => type)).not.toContain('GUARD_STOPPED');
  });

  it('by itself when a cluster that no experiment touches breaks', async () => {
    await tests.system.waitUntilSteady();
    const { observer } = await tests.inject('cascade');
    tests.undo.push(() => killSwitch.reArmWhenOver());
    const { managementAddress } = serviceNamed('gateway-1');
    // The guard has to have seen the other cluster well, and looks every 2 s.
    await tests.system.sleepUntil(Date.now() + 3_000);
    const startedMs = Date.now();
    // Requests for a shard that is not there: a guardrail of the other cluster alone.
    const ask = `for _ in $(seq 30); do for _ in $(seq 20); do exec 3<>/dev/tcp/${managementAddress}/${GATEWAY_PORT} && printf 'GET /read?shard=none&key=x HTTP/1.0\\r\\n\\r\\n' >&3 && cat <&3 >/dev/null; exec 3>&-; done; sleep 0.5; done`;
    const asking = tests.system.on('vpc', 'timeout', '20', 'bash', '-c', ask);
    await observer.waitFor(true, startedMs, 20_000);
    await waitFor('the kill switch is engaged', 5, async () => {
      const { body } = await killSwitch.status();
      const [global] = (body as { switches: { engaged: boolean; engagement?: { by?: string; reason?: string } }[] })
        .switches;
      return global?.engaged && global.engagement?.reason?.includes('redis-tls') ? undefined : JSON.stringify(global);
    });
    const over = await tests.system.waitUntilOver('cascade');
    expect(over.status).toBe('ABORTED');
    expect(JSON.stringify(over.timeline)).toContain('KILL_SWITCH');
    await asking;
  });
});
