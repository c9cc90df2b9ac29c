import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EC2Client } from '@aws-sdk/client-ec2';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { FisClient } from '@aws-sdk/client-fis';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SSMClient } from '@aws-sdk/client-ssm';
import { DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { Context } from 'aws-lambda';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AuditEntry } from '../../functions/domain/audit-entry.ts';
import { ENVIRONMENT } from '../../functions/domain/names.ts';
import type { ExperimentRun } from '../../functions/domain/workflow.ts';
import { admittedLog, resolvedTargetsOf } from './domain/admitted-fixtures.ts';
import { experimentOf, hostFault } from './domain/experiment-fixtures.ts';
import { CALLER, detailsOf } from './domain/fixtures.ts';

const log = mockClient(DynamoDBDocumentClient);
/** Everything else that a step could do something by. */
const others = [
  ...[mockClient(DynamoDBClient), mockClient(EventBridgeClient), mockClient(SSMClient), mockClient(FisClient)],
  ...[mockClient(EC2Client), mockClient(SecretsManagerClient), mockClient(CloudWatchClient)],
  mockClient(LambdaClient),
];
const fetched = vi.fn(() => Promise.reject(new Error('no network in unit tests')));

for (const name of Object.values(ENVIRONMENT)) vi.stubEnv(name, `arn:aws:of:${name}`);
vi.stubEnv('AWS_REGION', 'eu-west-1');
vi.stubGlobal('fetch', fetched);

type Handler = (run: ExperimentRun, context: Context) => Promise<unknown>;
/** Of the state machine, in its order. */
const STEPS: [string, Handler][] = [
  ['Await the announced start', (await import('../../functions/admission/await-start.lambda.ts')).handler],
  ['Check steady state', (await import('../../functions/guard/check-steady-state.lambda.ts')).handler],
  ['Resolve targets', (await import('../../functions/inject/resolve-targets.lambda.ts')).handler],
  ['Guard', (await import('../../functions/guard/guard.lambda.ts')).handler],
  ['Probe', (await import('../../functions/probe/probe.lambda.ts')).handler],
  ['Inject fault', (await import('../../functions/inject/inject-fault.lambda.ts')).handler],
  ['Check targets', (await import('../../functions/inject/check-targets.lambda.ts')).handler],
];

const admitted = experimentOf([hostFault(1, 0, 'sessions-redis')]);
const run: ExperimentRun = {
  ...{ experimentId: 'exp', experiment: admitted, caller: CALLER, rollbackOnly: false },
  ...{ targets: resolvedTargetsOf(admitted), baselines: detailsOf('STEADY_STATE_CONFIRMED').baselines },
};
const other = { ...admitted, durationSeconds: 600 };

const logSays = (entries: readonly AuditEntry[]) =>
  log.on(QueryCommand).resolves({
    Items: entries.map(({ actor, details, ...entry }) => ({
      ...{ ...entry, actor: JSON.stringify(actor), details: JSON.stringify(details) },
    })),
  });

beforeEach(() => {
  for (const client of [log, ...others]) client.reset();
  fetched.mockClear();
});
afterAll(() => {
  for (const client of [log, ...others]) client.restore();
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
});

describe.each(STEPS)('%s, reached past the API', (_step, handler) => {
  it.each<[string, ExperimentRun, () => unknown]>([
    ['nothing was admitted', run, () => logSays([])],
    ['another experiment was admitted', { ...run, experiment: other }, () => logSays(admittedLog(admitted))],
    ['the log cannot be read', run, () => log.on(QueryCommand).rejects(new Error('throttled'))],
  ])('does nothing but read the log when %s', async (_what, input, given) => {
    given();
    const context = { getRemainingTimeInMillis: () => 60_000 } as Context;
    await expect(handler(input, context)).rejects.toThrow(/not what was admitted|throttled/);
    expect(log.calls().map(({ args }) => args[0].constructor.name)).toEqual(['QueryCommand']);
    expect(others.map((client) => client.calls().length)).toEqual(others.map(() => 0));
    expect(fetched).not.toHaveBeenCalled();
  });
});

describe.each(STEPS.slice(3))('%s, reached past the API', (_step, handler) => {
  it('does nothing but read the log when it is handed other nodes than were admitted', async () => {
    logSays(admittedLog(admitted));
    const targets = resolvedTargetsOf(experimentOf([hostFault(2, 0, 'sessions-redis')]));
    const context = { getRemainingTimeInMillis: () => 60_000 } as Context;
    await expect(handler({ ...run, targets }, context)).rejects.toMatchObject({ name: 'NotAdmitted' });
    expect(others.map((client) => client.calls().length)).toEqual(others.map(() => 0));
    expect(fetched).not.toHaveBeenCalled();
  });
});
