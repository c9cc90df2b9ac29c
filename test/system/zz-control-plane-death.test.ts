import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Observer } from '../../lab/fleet/observe.ts';
import { waitFor } from '../../lab/shared/wait-for.ts';
import { CANARY_NODES, partition, SystemUnderTest } from './harness.ts';

/** Last by its name: nothing works through the API afterwards. */
describe('the whole control plane dies in the middle of an experiment', () => {
  let system: SystemUnderTest;
  let observer: Observer;
  let node: string;

  beforeAll(async () => {
    system = new SystemUnderTest();
    node = await system.replicaOf(CANARY_NODES);
    observer = system.observe(node, CANARY_NODES.find((other) => other !== node) ?? '');
  });
  afterAll(() => {
    observer.stop();
    system.close();
  });

  it('lifts the fault within 4 s of a kill -9 of everything that is not a host, and leaves the host clean', async () => {
    const startedMs = Date.now();
    const answer = await system.post(partition('control_plane_killed', node, CANARY_NODES));
    expect(answer.body).toMatchObject({ status: 'INJECTED' });
    await observer.waitFor(false, startedMs, 1_000);

    const aws = system.lab.pids.aws;
    if (aws === undefined) throw new Error('lab.json has no pid of the AWS process');
    const functions = (await system.control('GET', '/processes')) as { pid: number }[];
    const killedMs = Date.now();
    process.kill(aws, 'SIGKILL');
    await system.on('vpc', 'kill', '-9', ...functions.map(({ pid }) => String(pid)));

    expect((await observer.waitFor(true, killedMs, 15_000)) - killedMs).toBeLessThan(4_000);
    const state = async () => {
      const { stdout } = await system.on(node, 'cat', '/run/holdfast/control_plane_killed.1/state.json');
      return JSON.parse(stdout) as { state: string; revertReason: string; leftovers: string[] };
    };
    await waitFor('proof of the host', 20, async () => {
      const { state: name } = await state();
      return name === 'REVERTED' ? undefined : name;
    });
    expect(await state()).toMatchObject({ revertReason: 'LEASE_LOST', leftovers: [] });
    expect(await system.ourRules(node)).toEqual([]);
  });
});
