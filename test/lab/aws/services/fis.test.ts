import { CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import {
  DescribeInstancesCommand,
  DescribeInstanceTypesCommand,
  EC2Client,
  paginateDescribeInstances,
  paginateDescribeNetworkInterfaces,
  StartInstancesCommand,
} from '@aws-sdk/client-ec2';
import {
  CreateExperimentTemplateCommand,
  type CreateExperimentTemplateRequest,
  DeleteExperimentTemplateCommand,
  FisClient,
  GetExperimentCommand,
  ListExperimentsCommand,
  ListExperimentTemplatesCommand,
  StartExperimentCommand,
  StopExperimentCommand,
} from '@aws-sdk/client-fis';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { safetyLeverOf } from '../../../../functions/aws/fis/safety-lever.ts';
import { NEW_METRIC_DELAY_MS } from '../../../../lab/aws/services/cloudwatch.ts';
import { FLEET_HOSTS } from '../../../../lab/fleet/fleet.ts';
import { ACCOUNT_ID, REGION } from '../../../../lab/shared/topology.ts';
import { eventually, functionCredentials, type Lab, powerLog, startLab } from '../fixture.ts';

const roleArn = `arn:aws:iam::${ACCOUNT_ID}:role/Test-FisRole`;
const alarmArn = (name: string) => `arn:aws:cloudwatch:${REGION}:${ACCOUNT_ID}:alarm:${name}`;
const instanceArn = (index: number) => `arn:aws:ec2:${REGION}:${ACCOUNT_ID}:instance/${FLEET_HOSTS[index]?.instanceId}`;
let lab: Lab;
let fis: FisClient;
let ec2: EC2Client;
let tokens = 0;

beforeAll(async () => {
  lab = await startLab();
  fis = new FisClient(lab.client(lab.system.administrator));
  ec2 = new EC2Client(lab.client(lab.system.administrator));
  lab.system.cloudWatch.setState('quiet', 'OK');
}, 60_000);
afterAll(() => lab.stop());
afterEach(async () => {
  lab.system.cloudWatch.setState('quiet', 'OK');
  lab.system.fis.safetyLeverEngaged = false;
  for (const experiment of lab.system.fis.experiments.values()) experiment.stop('end of the test');
  await eventually(10, () =>
    [...lab.system.fis.experiments.values()].every(({ isOver }) => isOver) ? true : undefined,
  );
  powerLog.length = 0;
});

interface Wish {
  actionId?: string;
  parameters?: Record<string, string>;
  arn?: string;
  alarms?: string[];
}
const template = ({ actionId, parameters, arn, alarms }: Wish = {}): CreateExperimentTemplateRequest => ({
  clientToken: `token-${++tokens}`,
  description: 'a test',
  roleArn,
  tags: { 'holdfast-experiment': 'exp' },
  stopConditions: (alarms ?? ['quiet']).map((name) => ({ source: 'aws:cloudwatch:alarm', value: alarmArn(name) })),
  targets: {
    Instances: { resourceType: 'aws:ec2:instance', resourceArns: [arn ?? instanceArn(0)], selectionMode: 'ALL' },
  },
  actions: {
    fault: {
      actionId: actionId ?? 'aws:ec2:stop-instances',
      parameters: parameters ?? { startInstancesAfterDuration: 'PT1M' },
      targets: { Instances: 'Instances' },
    },
  },
});
async function create(wish?: Wish): Promise<string> {
  const { experimentTemplate } = await fis.send(new CreateExperimentTemplateCommand(template(wish)));
  return experimentTemplate?.id ?? '';
}
async function start(wish?: Wish): Promise<string> {
  const request = { experimentTemplateId: await create(wish), clientToken: `token-${++tokens}`, tags: { mine: 'yes' } };
  return (await fis.send(new StartExperimentCommand(request))).experiment?.id ?? '';
}
const stateOf = async (id: string) => (await fis.send(new GetExperimentCommand({ id }))).experiment?.state;
const until = (id: string, status: string) =>
  eventually(10, async () => {
    const state = await stateOf(id);
    return state?.status === status ? state : undefined;
  });
async function all<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const page of pages) found.push(page);
  return found;
}
async function instanceState(index: number): Promise<string | undefined> {
  const InstanceIds = [FLEET_HOSTS[index]?.instanceId ?? ''];
  const { Reservations } = await ec2.send(new DescribeInstancesCommand({ InstanceIds }));
  return Reservations?.[0]?.Instances?.[0]?.State?.Name;
}

describe('an experiment of FIS', () => {
  it('tells EventBridge of each change of its state, as AWS documents it', async () => {
    const id = await start();
    await until(id, 'running');
    await fis.send(new StopExperimentCommand({ id }));
    await until(id, 'stopped');
    const told = lab.system.events.events.filter(({ detail }) => JSON.stringify(detail).includes(`"${id}"`));
    expect(told[0]).toMatchObject({
      ...{ source: 'aws.fis', 'detail-type': 'FIS Experiment State Change', account: ACCOUNT_ID, region: REGION },
      resources: [`arn:aws:fis:${REGION}:${ACCOUNT_ID}:experiment/${id}`],
    });
    const states = told.map(
      ({ detail }) => detail as Record<'new-state' | 'old-state', { status: string; reason: string }>,
    );
    expect(states.map((each) => [each['old-state'].status, each['new-state'].status])).toEqual([
      ['pending', 'initiating'],
      ['initiating', 'running'],
      ['running', 'stopping'],
      ['stopping', 'stopped'],
    ]);
    expect(states.at(-1)?.['new-state'].reason).toContain('by user');
  });

  it('really stops the host, and starts it again when it is stopped', async () => {
    const id = await start();
    await until(id, 'running');
    await eventually(5, async () => ((await instanceState(0)) === 'stopped' ? true : undefined));
    expect(powerLog).toEqual(['stop redis-node-1']);
    const { experiment } = await fis.send(new GetExperimentCommand({ id }));
    expect(experiment?.actions?.fault?.startTime).toEqual(experiment?.startTime);
    expect(experiment?.startTime).toBeInstanceOf(Date);
    const running = { Name: 'instance-state-name', Values: ['running'] };
    const pages = await all(paginateDescribeInstances({ client: ec2 }, { Filters: [running] }));
    expect(pages.length).toBeGreaterThan(1);
    expect(pages.flatMap(({ Reservations = [] }) => Reservations)).toHaveLength(FLEET_HOSTS.length - 1);

    await fis.send(new StopExperimentCommand({ id }));
    expect(await until(id, 'stopped')).toMatchObject({ reason: expect.stringContaining('by user') });
    expect(powerLog).toEqual(['stop redis-node-1', 'start redis-node-1']);
    expect(await instanceState(0)).toBe('running');
    await expect(fis.send(new StopExperimentCommand({ id }))).rejects.toMatchObject({ name: 'ValidationException' });
  });

  it('completes by itself where the action has no duration', async () => {
    const id = await start({ actionId: 'aws:ec2:stop-instances', parameters: {}, arn: instanceArn(1) });
    await until(id, 'completed');
    expect(await instanceState(1)).toBe('stopped');
    await ec2.send(new StartInstancesCommand({ InstanceIds: [FLEET_HOSTS[1]?.instanceId ?? ''] }));
    await eventually(5, async () => ((await instanceState(1)) === 'running' ? true : undefined));
    expect(powerLog).toEqual(['stop redis-node-2', 'start redis-node-2']);
  });

  it('is stopped by an alarm, at its start and while it runs', async () => {
    lab.system.cloudWatch.setState('quiet', 'ALARM');
    const early = await start();
    expect(await until(early, 'stopped')).toMatchObject({ reason: expect.stringContaining('quiet') });
    expect(powerLog).toEqual([]);
    lab.system.cloudWatch.setState('quiet', 'OK');
    const late = await start();
    await until(late, 'running');
    lab.system.cloudWatch.setState('quiet', 'ALARM');
    await until(late, 'stopped');
    expect(powerLog).toEqual(['stop redis-node-1', 'start redis-node-1']);
  });

  it('ends as failed with the reason for what the lab cannot do, and for what its role may not do', async () => {
    for (const [wish, reason] of [
      [{ actionId: 'aws:ebs:pause-volume-io', parameters: { duration: 'PT10S' } }, /the lab has no EBS volumes/],
      [
        { actionId: 'aws:network:disrupt-connectivity', parameters: { scope: 'all', duration: 'PT1M' } },
        /the lab has no subnets/,
      ],
      [{ actionId: 'aws:ec2:reboot-instances', parameters: {} }, /not authorized to perform: ec2:RebootInstances/],
      [{ arn: `arn:aws:ec2:${REGION}:${ACCOUNT_ID}:instance/i-none` }, /no instance for/],
      [{ alarms: ['never-made'] }, /never-made does not exist/],
    ] as const) {
      const id = await start(wish as Wish);
      expect((await until(id, 'failed')).reason).toMatch(reason);
    }
    expect(powerLog).toEqual([]);
  });

  it('ends as cancelled while the safety lever is engaged', async () => {
    lab.system.fis.safetyLeverEngaged = true;
    await until(await start(), 'cancelled');
  });

  it('is stopped, whoever started it, when the safety lever is engaged, and starts again when it is not', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL_FIS', lab.endpoint);
    const lever = safetyLeverOf(fis, 'Test');
    const id = await start();
    await until(id, 'running');
    await lever.engage('a drill');
    await until(id, 'stopped');
    await until(await start(), 'cancelled');
    expect(await lever.disengage('the drill is over')).toBe(true);
    expect(await lever.disengage('the drill is over')).toBe(false);
    await until(await start(), 'running');
    const nobody = safetyLeverOf(new FisClient(lab.client(functionCredentials(lab))), 'Test');
    await expect(nobody.engage('x')).rejects.toThrow(/FIS answered 403.*UpdateSafetyLeverState/);
    vi.unstubAllEnvs();
  });

  it('keeps its safety lever for the first reason: another one for a status that stays is a conflict', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL_FIS', lab.endpoint);
    const [ours, theirs] = [safetyLeverOf(fis, 'Test'), safetyLeverOf(fis, 'Other')];
    const patch = async (status: string, reason: string) =>
      lab.system.fis.setSafetyLever({ id: 'default', state: { status, reason } });
    await expect(Promise.all([ours.engage('a drill'), theirs.engage('an incident')])).resolves.toEqual(
      expect.arrayContaining([
        expect.objectContaining({ engaged: 'NOW' }),
        expect.objectContaining({ engaged: 'FOREIGN' }),
      ]),
    );
    await expect(patch('engaged', 'a third reason')).rejects.toMatchObject({ code: 'ConflictException', status: 409 });
    const again = [await ours.engage('again'), await theirs.engage('again')];
    expect(again.map(({ engaged }) => engaged).sort()).toEqual(['BEFORE', 'FOREIGN']);
    expect([await ours.disengage('over'), await theirs.disengage('over')].filter(Boolean)).toHaveLength(1);
    await expect(patch('disengaged', 'a third reason')).rejects.toMatchObject({ code: 'ConflictException' });
    vi.unstubAllEnvs();
  });

  it('is the same one when the request is repeated, and another request with that token is refused', async () => {
    const request = { experimentTemplateId: await create(), clientToken: 'again', tags: {} };
    const [first, second] = [
      await fis.send(new StartExperimentCommand(request)),
      await fis.send(new StartExperimentCommand(request)),
    ];
    expect(second.experiment?.id).toBe(first.experiment?.id);
    await expect(fis.send(new StartExperimentCommand({ ...request, tags: { other: 'x' } }))).rejects.toMatchObject({
      name: 'ConflictException',
    });
  });

  it('is refused as the sixth one that is active', async () => {
    for (let index = 0; index < 5; index++) await start({ arn: instanceArn(index) });
    await expect(start()).rejects.toMatchObject({ name: 'ServiceQuotaExceededException' });
  });
});

describe('what FIS knows', () => {
  it('is listed page by page, with its tags', async () => {
    const id = await start();
    const { experiments = [], nextToken } = await fis.send(new ListExperimentsCommand({ maxResults: 1 }));
    expect(experiments).toHaveLength(1);
    const rest = await fis.send(new ListExperimentsCommand({ nextToken: nextToken ?? '' }));
    expect(rest.experiments).toContainEqual(expect.objectContaining({ id, tags: { mine: 'yes' } }));
  });

  it('keeps a running experiment when its template is deleted', async () => {
    const experimentTemplateId = await create();
    const request = { experimentTemplateId, clientToken: 'kept', tags: {} };
    const { experiment } = await fis.send(new StartExperimentCommand(request));
    await fis.send(new DeleteExperimentTemplateCommand({ id: experimentTemplateId }));
    const { experimentTemplates = [] } = await fis.send(new ListExperimentTemplatesCommand({}));
    expect(experimentTemplates.map(({ id }) => id)).not.toContain(experimentTemplateId);
    await until(experiment?.id ?? '', 'running');
    await expect(fis.send(new StartExperimentCommand({ ...request, clientToken: 'late' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });

  it.each<[string, Partial<CreateExperimentTemplateRequest>, RegExp]>([
    [
      'a field that would be ignored',
      { experimentOptions: { emptyTargetResolutionMode: 'skip' } },
      /experimentOptions/,
    ],
    ['a role that does not trust FIS', { roleArn: `arn:aws:iam::${ACCOUNT_ID}:role/Test-Role` }, /does not trust/],
    [
      'a sixth stop condition',
      { stopConditions: Array(6).fill({ source: 'aws:cloudwatch:alarm', value: alarmArn('quiet') }) },
      /1 to 5/,
    ],
    [
      'a sixth resource',
      {
        targets: {
          Instances: {
            resourceType: 'aws:ec2:instance',
            resourceArns: [0, 1, 2, 3, 4, 5].map(instanceArn),
            selectionMode: 'ALL',
          },
        },
      },
      /at most 5 are allowed/,
    ],
    [
      'a duration under a minute',
      {
        actions: {
          a: {
            actionId: 'aws:ec2:stop-instances',
            parameters: { startInstancesAfterDuration: 'PT30S' },
            targets: { I: 'Instances' },
          },
        },
      },
      /PT1M to PT720M/,
    ],
  ])('refuses a template with %s', async (_what, wrong, message) => {
    await expect(fis.send(new CreateExperimentTemplateCommand({ ...template(), ...wrong }))).rejects.toThrow(message);
    lab.takeViolations();
  });

  it('denies what no policy of the caller allows, as its protocol does', async () => {
    const nobody = new FisClient(lab.client(functionCredentials(lab)));
    await expect(nobody.send(new ListExperimentsCommand({}))).rejects.toMatchObject({
      name: 'AccessDeniedException',
      $metadata: { httpStatusCode: 403 },
    });
    const start = new EC2Client(lab.client(functionCredentials(lab))).send(
      new StartInstancesCommand({ InstanceIds: [FLEET_HOSTS[0]?.instanceId ?? ''] }),
    );
    await expect(start).rejects.toMatchObject({ name: 'UnauthorizedOperation' });
  });
});

describe('EC2', () => {
  it('calls an instance running while it reboots, which is a stop and a start of its host', async () => {
    const [host] = FLEET_HOSTS;
    if (host === undefined) throw new Error('no host');
    const rebooted = lab.system.instances.reboot(host);
    expect(await instanceState(0)).toBe('running');
    await rebooted;
    expect(powerLog).toEqual(['stop redis-node-1', 'start redis-node-1']);
  });

  it('shows every interface in a subnet, and whose it is', async () => {
    const Filters = [{ Name: 'subnet-id', Values: ['subnet-b'] }];
    const pages = await all(paginateDescribeNetworkInterfaces({ client: ec2 }, { Filters }));
    const found = pages.flatMap(({ NetworkInterfaces = [] }) => NetworkInterfaces);
    const hosts = FLEET_HOSTS.filter((_host, index) => index % 3 === 1);
    const addresses = hosts.flatMap((host) => [host.managementAddress, host.dataAddress].filter(Boolean));
    expect(found.map(({ PrivateIpAddress }) => PrivateIpAddress)).toEqual(addresses);
    expect(new Set(found.map(({ Attachment }) => Attachment?.InstanceId))).toEqual(
      new Set(hosts.map(({ instanceId }) => instanceId)),
    );
    expect(new Set(found.map(({ NetworkInterfaceId }) => NetworkInterfaceId)).size).toBe(addresses.length);
  });

  it('tells zone, subnet, type and volumes of an instance, and that its type has no instance store', async () => {
    const { Reservations } = await ec2.send(new DescribeInstancesCommand({}));
    const instances = (Reservations ?? []).flatMap(({ Instances }) => Instances ?? []);
    expect(instances.slice(0, 4).map(({ Placement }) => Placement?.AvailabilityZone)).toEqual(
      ['a', 'b', 'c', 'a'].map((zone) => REGION + zone),
    );
    const [first] = instances;
    expect(first).toMatchObject({ SubnetId: 'subnet-a', InstanceType: 'r6g.large', RootDeviceName: '/dev/xvda' });
    expect(first?.BlockDeviceMappings?.map(({ DeviceName }) => DeviceName)).toEqual(['/dev/xvda', '/dev/sdf']);
    const { InstanceTypes } = await ec2.send(new DescribeInstanceTypesCommand({ InstanceTypes: ['r6g.large'] }));
    expect(InstanceTypes).toMatchObject([{ InstanceStorageSupported: false }]);
  });
});

describe('an alarm over the heartbeat', () => {
  it('is OK only while a whole period has a heartbeat, and fires after two periods without', async () => {
    const heartbeat = new PutMetricDataCommand({
      Namespace: 'Holdfast',
      MetricData: [
        { MetricName: 'GuardHeartbeat', Value: 1, Dimensions: [{ Name: 'cluster', Value: 'redis-master' }] },
      ],
    });
    const { cloudWatch } = lab.system;
    expect(cloudWatch.alarms.get('watched')?.state).toBe('ALARM');
    await new CloudWatchClient(lab.client(lab.system.administrator)).send(heartbeat);
    const saidMs = Date.now();
    // A new metric is there, and nobody sees it yet.
    cloudWatch.evaluate(saidMs + 10_000);
    expect(cloudWatch.alarms.get('watched')?.state).toBe('ALARM');
    vi.useFakeTimers({ now: saidMs + NEW_METRIC_DELAY_MS, toFake: ['Date'] });
    try {
      await new CloudWatchClient(lab.client(lab.system.administrator)).send(heartbeat);
    } finally {
      vi.useRealTimers();
    }
    const againMs = saidMs + NEW_METRIC_DELAY_MS;
    cloudWatch.evaluate(againMs + 10_000);
    expect(cloudWatch.alarms.get('watched')?.state).toBe('OK');
    cloudWatch.evaluate(againMs + 19_000 - (againMs % 10_000));
    expect(cloudWatch.alarms.get('watched')?.state).toBe('OK');
    cloudWatch.evaluate(againMs + 30_000);
    expect(cloudWatch.alarms.get('watched')?.state).toBe('ALARM');
  });
});
