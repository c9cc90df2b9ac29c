import { readFileSync } from 'node:fs';
import { runSimulation } from '@cloud-copilot/iam-simulate';
import { describe, expect, it } from 'vitest';
import { SWITCH_ATTRIBUTES } from '../../functions/domain/kill-switch.ts';
import { KILL_SWITCH_ID } from '../../functions/domain/names.ts';
import type { Json } from '../../lab/aws/protocol/json.ts';
import { resolve } from '../../lab/aws/template/intrinsics.ts';
import { loadConfiguration } from '../../lib/load-configuration.ts';
import { allStatements, identityPolicies, mentions, type Statement } from './policies.ts';
import { functions, ofType, resources } from './synthesized.ts';

const [ACCOUNT, REGION] = ['111122223333', 'eu-west-1'];
const arn = (service: string, resource: string) => `arn:aws:${service}:${REGION}:${ACCOUNT}:${resource}`;
/** As IAM sees the policies of the template: what only the deployment knows has made-up names. */
const deployed = (statements: Statement[]) => {
  const pseudo: Record<string, string> = {
    Partition: 'aws',
    Region: REGION,
    AccountId: ACCOUNT,
    URLSuffix: 'amazonaws.com',
  };
  const arnOf = (id: string) => {
    const type = resources[id]?.Type ?? '';
    if (type === 'AWS::DynamoDB::Table') return arn('dynamodb', `table/${id}`);
    if (type === 'AWS::Lambda::Function') return arn('lambda', `function:${id}`);
    if (type === 'AWS::IAM::Role') return `arn:aws:iam::${ACCOUNT}:role/${id}`;
    return arn('logs', `log-group:${id}`);
  };
  return resolve(statements as unknown as Json, {
    ref: (id) =>
      pseudo[id.replace('AWS::', '')] ??
      (id.includes('StateMachine') || mentions(resources[id]?.Type, 'StateMachine')
        ? arn('states', `stateMachine:${id}`)
        : id),
    getAtt: arnOf,
    condition: () => true,
    findInMap: () => null,
  });
};

interface Request {
  action: string;
  resource: string;
  context?: Record<string, string | string[]>;
}

async function allows(statements: Statement[], { action, resource, context = {} }: Request): Promise<boolean> {
  const policy = { Version: '2012-10-17', Statement: deployed(statements) };
  const result = await runSimulation(
    {
      request: {
        principal: `arn:aws:iam::${ACCOUNT}:role/any`,
        action,
        resource: { resource, accountId: ACCOUNT },
        contextVariables: { 'aws:RequestedRegion': REGION, 'aws:SecureTransport': 'true', ...context },
      },
      identityPolicies: [{ name: 'role', policy }],
      serviceControlPolicies: [],
      resourceControlPolicies: [],
    },
    { simulationMode: 'Strict' },
  );
  if (result.resultType === 'error') throw new Error(JSON.stringify(result.errors));
  return result.overallResult === 'Allowed';
}

const tableLike = (name: string) =>
  arn('dynamodb', `table/${ofType('AWS::DynamoDB::Table').find(([id]) => id.startsWith(name))?.[0]}`);
const [LEASES, AUDIT] = [tableLike('LeaseTable'), tableLike('AuditTable')];
const INSTANCE = arn('ec2', 'instance/i-0123456789abcdef0');
const tagged = (value: string) => ({
  'ssm:resourceTag/holdfast-target': value,
  'aws:ResourceTag/holdfast-target': value,
});
/** Each role of the stack by the name of what it is for. */
const roles = identityPolicies().filter(({ statements }) => statements.length > 0);
const rolesThatMay = async (request: Request) => {
  const answers = await Promise.all(roles.map(({ statements }) => allows(statements, request)));
  return roles
    .filter((_, index) => answers[index])
    .map(({ owner }) => owner.replace(/(DefaultPolicy)?[0-9A-F]{8}$/, ''));
};

describe('docs/threat-model.md', () => {
  const text = readFileSync('docs/threat-model.md', 'utf8');
  const shown = [...text.matchAll(/`(test\/[^`]+\.ts)` › ([^|<]+?)(?=<br>| \|)/g)].map(([, file = '', title = '']) => ({
    file,
    title,
  }));

  it('names tests that exist', () => {
    expect(shown.length).toBeGreaterThan(25);
    for (const { file, title } of shown) expect(readFileSync(file, 'utf8'), file).toContain(`'${title}'`);
  });

  it('has a line for every function that has a role', () => {
    const unnamed = functions
      .filter(({ node }) => !new RegExp(`\\b${node.id}\\b`).test(text))
      .map(({ node }) => node.id);
    // They only read what the callers of the API may read.
    expect(unnamed.sort()).toEqual([
      'GetExperiment',
      'GetExperimentStatus',
      'GetKillSwitch',
      'ListExperiments',
      'ListSchedules',
    ]);
  });
});

describe('IAM, on what is synthesized', () => {
  it('lets no role of the stack change or remove an entry of the log', async () => {
    for (const action of [
      'PutItem',
      'UpdateItem',
      'DeleteItem',
      'PartiQLUpdate',
      'PartiQLDelete',
      'BatchWriteItem',
      'DeleteTable',
    ]) {
      expect(await rolesThatMay({ action: `dynamodb:${action}`, resource: AUDIT }), action).toEqual([]);
    }
    expect((await rolesThatMay({ action: 'dynamodb:PartiQLInsert', resource: AUDIT })).length).toBeGreaterThan(5);
  });

  it.each([KILL_SWITCH_ID, 'CLUSTER#redis-master'])(
    'lets nobody but the deployment, the two functions for it and a guard that looks for cascades write the kill switch %s',
    async (key) => {
      const context = { 'dynamodb:LeadingKeys': [key] };
      for (const action of ['DeleteItem', 'PartiQLInsert', 'PartiQLUpdate', 'BatchWriteItem']) {
        expect(await rolesThatMay({ action: `dynamodb:${action}`, resource: LEASES, context }), action).toEqual([]);
      }
      expect(await rolesThatMay({ action: 'dynamodb:PutItem', resource: LEASES, context })).toEqual([
        expect.stringContaining('Seed'),
      ]);
      const update = (attributes: string[]) =>
        rolesThatMay({
          action: 'dynamodb:UpdateItem',
          resource: LEASES,
          context: { ...context, 'dynamodb:Attributes': attributes },
        });
      expect((await update(SWITCH_ATTRIBUTES.engage)).sort()).toEqual([
        expect.stringContaining('EngageKillSwitch'),
        expect.stringContaining('ReArmKillSwitch'),
        expect.stringContaining('Guard'),
      ]);
      expect(await update(SWITCH_ATTRIBUTES.reArm)).toEqual([expect.stringContaining('ReArmKillSwitch')]);
      // What makes a lease one: nobody may give a switch a beat or a grant.
      for (const attribute of ['beat', 'grants', 'endsAt']) expect(await update(['leaseId', attribute])).toEqual([]);
    },
  );

  it('lets no role of the stack run a document of others, or ours on an instance that is no target', async () => {
    const send = (resource: string, context = {}) => rolesThatMay({ action: 'ssm:SendCommand', resource, context });
    expect(await send(arn('ssm', 'document/AWS-RunShellScript'))).toEqual([]);
    expect(await send(arn('ssm', 'document/AnyOther'))).toEqual([]);
    expect(await send(arn('ssm', 'document/Holdfast-Holdfast-disk-full'))).toEqual([
      expect.stringContaining('InjectFault'),
    ]);
    expect(await send(INSTANCE, tagged('true'))).toHaveLength(4);
    // The rollback and the kill switch, with the roll-back document alone.
    expect((await send(INSTANCE, tagged('no'))).sort()).toEqual([
      expect.stringContaining('EngageKillSwitch'),
      expect.stringContaining('RollBack'),
    ]);
  });

  it('lets only FIS terminate an instance, if it is a target of a cluster that allows it', async () => {
    const { clusters } = (await loadConfiguration('lab/holdfast.config.ts')).configuration;
    const mayLose = Object.values(clusters).filter((each) => each.tier === 'staging' && each.instancesMayBeTerminated);
    expect(mayLose).toHaveLength(1);
    for (const cluster of Object.values(clusters)) {
      const ofCluster = Object.entries(cluster.selectTags).map(([key, value]) => [`aws:ResourceTag/${key}`, value]);
      const terminate = async (target: string) => {
        const context = { ...tagged(target), ...Object.fromEntries(ofCluster) };
        return rolesThatMay({ action: 'ec2:TerminateInstances', resource: INSTANCE, context });
      };
      const allowed = mayLose.includes(cluster) ? [expect.stringContaining('FisRole')] : [];
      expect(await terminate('true'), JSON.stringify(cluster.selectTags)).toEqual(allowed);
      expect(await terminate('no')).toEqual([]);
    }
  });

  it('lets nobody terminate an instance of no cluster, and only FIS stop one, if it is a target', async () => {
    expect(
      await rolesThatMay({ action: 'ec2:TerminateInstances', resource: INSTANCE, context: tagged('true') }),
    ).toEqual([]);
    const stop = { action: 'ec2:StopInstances', resource: INSTANCE };
    expect(await rolesThatMay({ ...stop, context: tagged('true') })).toEqual([expect.stringContaining('FisRole')]);
    expect(await rolesThatMay({ ...stop, context: tagged('no') })).toEqual([]);
  });

  it('lets a host read leases and change nothing', async () => {
    const host = identityPolicies().find(({ owner }) => owner.startsWith('LeaseTableHostPolicy'))?.statements ?? [];
    expect(await allows(host, { action: 'dynamodb:BatchGetItem', resource: LEASES })).toBe(true);
    const actions = ['UpdateItem', 'PutItem', 'DeleteItem', 'PartiQLInsert', 'PartiQLUpdate', 'Scan', 'Query'];
    for (const action of actions)
      expect(await allows(host, { action: `dynamodb:${action}`, resource: LEASES })).toBe(false);
    expect(await allows(host, { action: 'dynamodb:BatchGetItem', resource: AUDIT })).toBe(false);
  });

  it('lets no role give itself more: no policy, no role, no function of others', async () => {
    const role = `arn:aws:iam::${ACCOUNT}:role/Admin`;
    const context = { 'iam:PassedToService': 'fis.amazonaws.com' };
    for (const action of ['PassRole', 'AttachRolePolicy', 'PutRolePolicy', 'CreateRole', 'UpdateAssumeRolePolicy']) {
      expect(await rolesThatMay({ action: `iam:${action}`, resource: role, context }), action).toEqual([]);
    }
    const foreign = arn('lambda', 'function:Foreign');
    for (const action of ['InvokeFunction', 'UpdateFunctionCode', 'UpdateFunctionConfiguration']) {
      expect(await rolesThatMay({ action: `lambda:${action}`, resource: foreign }), action).toEqual([]);
    }
    expect(allStatements().length).toBeGreaterThan(50);
  });
});
