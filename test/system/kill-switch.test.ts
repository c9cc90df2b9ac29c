import { expect, it } from 'vitest';
import { CANARY_NODES, partition } from './harness.ts';
import { killSwitchOf, stepsOf } from './kill-switch.ts';
import { partitions } from './partitions.ts';

const CLUSTER = { cluster: 'redis-master' };
const tests = partitions();
const killSwitch = killSwitchOf(() => tests.system);

it('the kill switch of one cluster, through the API, lifts the fault there within a poll or two, says who and why to whoever starts, and is re-armed only when nothing runs', async () => {
  await tests.system.waitUntilSteady();
  const { observer } = await tests.inject('cluster_switch');
  tests.undo.push(() => killSwitch.reArmWhenOver(CLUSTER));
  expect(await killSwitch.reArm(CLUSTER)).toMatchObject({ status: 409, body: { heldBy: ['cluster_switch'] } });

  const engagedMs = Date.now();
  const engaging = killSwitch.engage('a drill', CLUSTER);
  expect((await observer.waitFor(true, engagedMs, 10_000)) - engagedMs).toBeLessThan(1_500);
  const engaged = await engaging;
  expect(engaged).toMatchObject({ status: 200, body: { engaged: true, recorded: true, cluster: 'redis-master' } });
  expect(stepsOf(engaged)).toEqual({ SWITCH: 'DONE', LEASES: 'DONE', SAFETY_LEVER: 'NOT_NEEDED', HOSTS: 'DONE' });

  const engagement = { by: expect.stringContaining('lab-operator'), reason: 'a drill' };
  const { body } = await killSwitch.status();
  expect(body).toMatchObject({
    switches: expect.arrayContaining([{ ...CLUSTER, engaged: true, engagement: expect.objectContaining(engagement) }]),
  });
  expect(await tests.system.post(partition('while_killed', 'redis-node-3', CANARY_NODES))).toMatchObject({
    status: 409,
    body: {
      type: 'urn:holdfast:problem:kill-switch-engaged',
      ...CLUSTER,
      engagement,
      detail: expect.stringContaining('a drill'),
    },
  });
  const over = await tests.system.waitUntilOver('cluster_switch');
  expect(over.status).toBe('ABORTED');
});
