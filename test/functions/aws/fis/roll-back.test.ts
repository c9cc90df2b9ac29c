import {
  DescribeInstancesCommand,
  DescribeNetworkAclsCommand,
  EC2Client,
  type InstanceStateName,
  StartInstancesCommand,
} from '@aws-sdk/client-ec2';
import {
  DeleteExperimentTemplateCommand,
  FisClient,
  GetExperimentCommand,
  ListExperimentsCommand,
  ListExperimentTemplatesCommand,
  StopExperimentCommand,
} from '@aws-sdk/client-fis';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { activeFisExperiments } from '../../../../functions/aws/fis/experiments.ts';
import { fisRollBack } from '../../../../functions/aws/fis/roll-back.ts';
import { REBOOT_INSTANCES } from '../../../../functions/domain/faults/instance-reboot.ts';
import { TERMINATE_INSTANCES } from '../../../../functions/domain/faults/instance-terminate.ts';
import { SimulatedClock } from '../../domain/simulated-clock.ts';
import { INSTANCE_TARGETS, stateOf, TAGS } from './fixtures.ts';

const fisMock = mockClient(FisClient);
const ec2Mock = mockClient(EC2Client);
afterAll(() => {
  fisMock.restore();
  ec2Mock.restore();
});
const DEADLINE_MS = 30_000;
const [BEGUN_AT, ENDED_AT] = ['2026-05-29T13:10:00.000Z', '2026-05-29T13:11:00.000Z'];
const REVERTED = { faultId: 'exp.1', fisExperimentId: 'EXP1', outcome: 'REVERTED' };

/** FIS and EC2 as far as the rollback sees them: calls change it, as they would. */
interface World {
  experiments: Record<string, { status: string; reason?: string; template?: string; tags?: Record<string, string> }>;
  templates: Record<string, Record<string, string>>;
  instance: InstanceStateName;
  actionId?: string;
  /** What follows `stopping`. */
  endsAs: string;
}
let world: World;
let targets: object;
const clock = new SimulatedClock();
const rollBack = (...announced: string[]) => {
  const clients = { fis: new FisClient({ region: 'r' }), ec2: new EC2Client({ region: 'r' }) };
  return fisRollBack({ ...clients, clock, stackName: 'X' }).rollBack(
    'exp',
    announced,
    clock.monotonicMs() + DEADLINE_MS,
  );
};

beforeEach(() => {
  world = {
    experiments: { EXP1: { status: 'running', template: 'EXT1', tags: TAGS } },
    templates: { EXT1: TAGS, EXT9: { ...TAGS, 'holdfast-experiment': 'other' } },
    instance: 'stopped',
    endsAs: 'stopped',
  };
  targets = INSTANCE_TARGETS;
  fisMock.reset();
  ec2Mock.reset();
  fisMock.on(ListExperimentsCommand).callsFake(({ nextToken }) => {
    const all = Object.entries(world.experiments).map(([id, { status, reason, template, tags }]) => ({
      id,
      state: stateOf(status, reason),
      ...(template ? { experimentTemplateId: template } : {}),
      ...(tags ? { tags } : {}),
    }));
    // The first page is somebody else's.
    if (!nextToken) return { experiments: [{ id: 'EXP9', state: { status: 'running' } }], nextToken: 'more' };
    return { experiments: all };
  });
  fisMock.on(ListExperimentTemplatesCommand).callsFake(({ nextToken }) => {
    if (!nextToken) return { experimentTemplates: [], nextToken: 'more' };
    return { experimentTemplates: Object.entries(world.templates).map(([id, tags]) => ({ id, tags })) };
  });
  fisMock.on(StopExperimentCommand).callsFake(({ id }) => {
    const found = world.experiments[id];
    if (found) found.status = 'stopping';
    return {};
  });
  fisMock.on(DeleteExperimentTemplateCommand).callsFake(({ id }) => {
    delete world.templates[id];
    return {};
  });
  fisMock.on(GetExperimentCommand).callsFake(({ id }) => {
    const { status, reason } = world.experiments[id] ?? { status: 'gone' };
    if (status === 'stopping' && world.experiments[id]) world.experiments[id].status = world.endsAs;
    const state = stateOf(status, reason);
    const { actionId } = world;
    const actions = { fault: { startTime: new Date(BEGUN_AT), ...(actionId ? { actionId } : {}) } };
    return { experiment: { id, targets, state, actions, endTime: new Date(ENDED_AT) } };
  });
  ec2Mock.on(DescribeInstancesCommand).callsFake(() => {
    const state = { Name: world.instance };
    if (world.instance === 'pending') world.instance = 'running';
    if (world.instance === 'stopping') world.instance = 'stopped';
    return { Reservations: [{ Instances: [{ InstanceId: 'i-3', State: state }] }] };
  });
  ec2Mock.on(StartInstancesCommand).callsFake(() => {
    world.instance = 'pending';
    return {};
  });
});

describe('the rollback through FIS', () => {
  it('stops what runs, starts the instance if FIS has not, deletes the template, and leaves others alone', async () => {
    world.instance = 'stopping';
    const [reverted, ...others] = await rollBack('exp.1');
    expect(others).toEqual([]);
    // FIS says that it ended before; the instance was back only now.
    const endedAt = new Date(clock.nowEpochMs()).toISOString();
    expect(reverted).toEqual({ ...REVERTED, state: 'stopped', begunAt: BEGUN_AT, endedAt });
    expect(world).toMatchObject({ instance: 'running', templates: { EXT9: expect.anything() } });
    expect(fisMock.commandCalls(StopExperimentCommand).map((call) => call.args[0].input.id)).toEqual(['EXP1']);
    expect(ec2Mock.commandCalls(StartInstancesCommand)).toHaveLength(1);
    expect(Object.keys(world.templates)).toEqual(['EXT9']);
  });

  it('waits for no instance that it was admitted to terminate, and says that it is gone; after any other action it is missed', async () => {
    world.instance = 'terminated';
    world.actionId = TERMINATE_INSTANCES;
    for (const [status, detail] of [
      ['completed', 'its instances are gone for good'],
      ['stopped', 'its instances may be gone for good'],
    ] as const) {
      world.experiments.EXP1 = { status, template: 'EXT1', tags: TAGS };
      expect((await rollBack('exp.1'))[0]).toMatchObject({ ...REVERTED, detail });
    }
    expect(ec2Mock.commandCalls(StartInstancesCommand)).toEqual([]);
    world.actionId = 'aws:ec2:stop-instances';
    const [missed] = await rollBack('exp.1');
    expect(missed).toMatchObject({ outcome: 'FAILED', detail: expect.stringContaining('instance i-3 is terminated') });
  });

  it.each([TERMINATE_INSTANCES, REBOOT_INSTANCES])(
    'does not take the end of %s, which is over at once, for that of its fault',
    async (actionId) => {
      world.experiments.EXP1 = { status: 'completed', template: 'EXT1', tags: TAGS };
      world.instance = 'running';
      world.actionId = actionId;
      const [over] = await rollBack('exp.1');
      expect(over).toMatchObject({ ...REVERTED, begunAt: BEGUN_AT });
      expect(over).not.toHaveProperty('endedAt');
      // Whoever stopped it before has ended it.
      world.experiments.EXP1 = { status: 'stopped', template: 'EXT1', tags: TAGS };
      expect((await rollBack('exp.1'))[0]).toMatchObject({ ...REVERTED, state: 'stopped', endedAt: ENDED_AT });
    },
  );

  it.each(['completed', 'failed', 'stopped', 'cancelled'])(
    'takes %s for an end and stops nothing again',
    async (status) => {
      world.experiments.EXP1 = { status, template: 'EXT1', tags: TAGS };
      world.instance = 'running';
      const [reverted] = await rollBack();
      expect(reverted).toMatchObject({ ...REVERTED, state: status, endedAt: ENDED_AT });
      // What has failed may never have begun.
      expect(reverted?.begunAt).toBe(status === 'failed' ? undefined : BEGUN_AT);
      expect(fisMock.commandCalls(StopExperimentCommand)).toEqual([]);
    },
  );

  it('shows why an experiment failed, also when everything is back', async () => {
    world.experiments.EXP1 = { status: 'failed', reason: 'not authorized', template: 'EXT1', tags: TAGS };
    world.instance = 'running';
    expect(await rollBack()).toMatchObject([{ ...REVERTED, detail: 'not authorized' }]);
  });

  it('finds an experiment whose start was never answered, by its tag and by its template', async () => {
    world.templates = {};
    expect(await rollBack()).toMatchObject([REVERTED]);
    world.templates = { EXT1: TAGS };
    world.experiments = { EXP1: { status: 'running', template: 'EXT1' } };
    expect(await rollBack()).toMatchObject([REVERTED]);
  });

  it('stops also what was started while it looked: only after the templates are gone it believes its eyes', async () => {
    world.experiments = {};
    world.instance = 'running';
    fisMock.on(DeleteExperimentTemplateCommand).callsFake(({ id }) => {
      world.experiments.LATE = { status: 'initiating', template: 'EXT1', tags: TAGS };
      delete world.templates[id];
      return {};
    });
    expect(await rollBack()).toMatchObject([{ fisExperimentId: 'LATE', state: 'stopped', outcome: 'REVERTED' }]);
  });

  it('looks for some seconds where nothing was made, and then has nothing to do', async () => {
    world.experiments = {};
    world.templates = {};
    for (const announced of [[], ['exp.1']]) {
      const startedMs = clock.monotonicMs();
      expect(await rollBack(...announced)).toEqual([]);
      expect(clock.monotonicMs() - startedMs).toBeGreaterThanOrEqual(10_000);
      expect(clock.monotonicMs() - startedMs).toBeLessThan(12_000);
    }
  });

  it('does not miss what an injection still makes while it looks: not the first, and not another that was announced', async () => {
    world.instance = 'running';
    const found = { ...world.experiments };
    for (const before of [{}, found]) {
      world.experiments = { ...before };
      world.templates = {};
      let looks = 0;
      fisMock.on(ListExperimentTemplatesCommand).callsFake(() => {
        looks += 1;
        if (looks === 4) world.templates = { EXT2: { ...TAGS, 'holdfast-fault': 'exp.2' } };
        return { experimentTemplates: Object.entries(world.templates).map(([id, tags]) => ({ id, tags })) };
      });
      await rollBack('exp.1', 'exp.2');
      expect(world.templates).toEqual({});
    }
  });

  it('ends nothing of another stack that has an experiment of the same name', async () => {
    const theirs = { ...TAGS, 'holdfast-stack': 'Y' };
    world.experiments = { EXP8: { status: 'running', template: 'EXT8', tags: theirs } };
    world.templates = { EXT8: theirs };
    expect(await rollBack()).toEqual([]);
    expect(world).toMatchObject({ experiments: { EXP8: { status: 'running' } }, templates: { EXT8: theirs } });
  });

  it('reads the history of the account only until all is found, however long the instance takes', async () => {
    ec2Mock.on(DescribeInstancesCommand).callsFake(() => {
      const state = { Name: (clock.monotonicMs() - startedMs < 20_000 ? 'pending' : 'running') as InstanceStateName };
      return { Reservations: [{ Instances: [{ InstanceId: 'i-3', State: state }] }] };
    });
    const startedMs = clock.monotonicMs();
    expect(await rollBack('exp.1')).toMatchObject([REVERTED]);
    expect(clock.monotonicMs() - startedMs).toBeGreaterThanOrEqual(20_000);
    // Two pages each, before and after the template went.
    expect(fisMock.commandCalls(ListExperimentsCommand)).toHaveLength(4);
  });

  it('gives up at its deadline when FIS does not answer at all', async () => {
    fisMock.on(ListExperimentsCommand).callsFake(() => new Promise(() => {}));
    const startedMs = clock.monotonicMs();
    expect(await rollBack('exp.1')).toMatchObject([
      { outcome: 'FAILED', detail: 'FIS could not be asked: no answer until the deadline' },
    ]);
    expect(clock.monotonicMs() - startedMs).toBeLessThanOrEqual(DEADLINE_MS);
  });

  it('asks again when a stop is refused, and fails at the deadline while FIS does not end it', async () => {
    fisMock.on(StopExperimentCommand).rejects(new Error('try later'));
    const startedMs = clock.monotonicMs();
    expect(await rollBack()).toMatchObject([
      { outcome: 'FAILED', state: 'running', detail: expect.stringMatching(/not at its end.*try later/) },
    ]);
    expect(clock.monotonicMs() - startedMs).toBeLessThanOrEqual(DEADLINE_MS);
    expect(fisMock.commandCalls(StopExperimentCommand).length).toBeGreaterThan(10);
  });

  it('does not take a state that it does not know for an end', async () => {
    world.endsAs = 'hibernating';
    expect(await rollBack()).toMatchObject([{ outcome: 'FAILED', state: expect.not.stringMatching('stopped') }]);
  });

  it.each(['terminated', 'stopped'])('fails while an instance stays %s', async (instance) => {
    ec2Mock.on(StartInstancesCommand).rejects(new Error('no capacity'));
    ec2Mock.on(DescribeInstancesCommand).resolves({
      Reservations: [{ Instances: [{ InstanceId: 'i-3', State: { Name: instance as InstanceStateName } }] }],
    });
    expect(await rollBack()).toMatchObject([
      {
        outcome: 'FAILED',
        detail: expect.stringMatching(instance === 'stopped' ? /no capacity/ : /i-3 is terminated/),
      },
    ]);
  });

  it('fails while FIS has still its network ACL on a subnet', async () => {
    targets = { Subnets: { resourceType: 'aws:ec2:subnet', resourceArns: ['arn:aws:ec2:r:a:subnet/subnet-1'] } };
    ec2Mock.on(DescribeNetworkAclsCommand).resolves({ NetworkAcls: [{ NetworkAclId: 'acl-fis' }] });
    expect(await rollBack()).toMatchObject([{ outcome: 'FAILED', detail: expect.stringContaining('acl-fis') }]);
    ec2Mock.on(DescribeNetworkAclsCommand).resolves({ NetworkAcls: [] });
    expect(await rollBack()).toMatchObject([REVERTED]);
  });

  it('fails while a template is still there, whether anything was started from it or not', async () => {
    fisMock.on(DeleteExperimentTemplateCommand).rejects(new Error('denied'));
    world.instance = 'running';
    const detail = expect.stringMatching(/template EXT1 is still there: denied/);
    expect(await rollBack()).toMatchObject([{ ...REVERTED, outcome: 'FAILED', detail }]);
    world.experiments = {};
    expect(await rollBack()).toMatchObject([{ faultId: 'exp.1', outcome: 'FAILED', detail }]);
  });

  it('never throws: FIS that cannot be asked is a failure', async () => {
    fisMock.on(ListExperimentsCommand).rejects(new Error('FIS is away'));
    expect(await rollBack()).toMatchObject([{ outcome: 'FAILED', detail: expect.stringContaining('FIS is away') }]);
  });

  it('goes on after FIS was away for a moment', async () => {
    fisMock.on(ListExperimentTemplatesCommand).rejectsOnce(new Error('away')).resolves({ experimentTemplates: [] });
    expect(await rollBack()).toMatchObject([REVERTED]);
  });
});

describe('the quota', () => {
  it('counts what is not over, of anybody, on every page', async () => {
    world.experiments = {
      A: { status: 'running' },
      B: { status: 'cancelled' },
      C: { status: 'pending' },
      D: { status: 'completed' },
    };
    expect(await activeFisExperiments(new FisClient({ region: 'r' }))).toBe(3);
  });
});
