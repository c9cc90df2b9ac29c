import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EC2Client } from '@aws-sdk/client-ec2';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { FisClient } from '@aws-sdk/client-fis';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SSMClient } from '@aws-sdk/client-ssm';

/** How patient a client is. Every call of ours is bounded: a call that hangs is worse than one that fails. */
export interface Patience {
  /** Tries in all; 1 means that nothing is repeated behind our back. */
  attempts?: number;
  /** Longest time one try may take, milliseconds. */
  timeoutMs?: number;
}

const DEFAULT_ATTEMPTS = 3;
const DEFAULT_TIMEOUT_MS = 3_000;
const CONNECT_TIMEOUT_MS = 1_000;

const made = new Map<string, unknown>();

/** One client for each kind and patience in a process, made when it is first asked for. */
function once<C>(kind: string, patience: Patience, make: (config: ReturnType<typeof configOf>) => C): C {
  const key = `${kind}/${patience.attempts ?? DEFAULT_ATTEMPTS}/${patience.timeoutMs ?? DEFAULT_TIMEOUT_MS}`;
  const existing = made.get(key) as C | undefined;
  if (existing !== undefined) return existing;
  const client = make(configOf(patience));
  made.set(key, client);
  return client;
}

function configOf({ attempts = DEFAULT_ATTEMPTS, timeoutMs = DEFAULT_TIMEOUT_MS }: Patience) {
  return {
    maxAttempts: attempts,
    requestHandler: {
      connectionTimeout: Math.min(CONNECT_TIMEOUT_MS, timeoutMs),
      requestTimeout: timeoutMs,
      // Without this the SDK only warns about a request that takes too long.
      throwOnRequestTimeout: true,
    },
  };
}

export const dynamoClient = (patience: Patience = {}) => once('dynamodb', patience, (c) => new DynamoDBClient(c));
export const cloudWatchClient = (patience: Patience = {}) =>
  once('cloudwatch', patience, (c) => new CloudWatchClient(c));
export const ec2Client = (patience: Patience = {}) => once('ec2', patience, (c) => new EC2Client(c));
export const eventBridgeClient = (patience: Patience = {}) =>
  once('eventbridge', patience, (c) => new EventBridgeClient(c));
export const fisClient = (patience: Patience = {}) => once('fis', patience, (c) => new FisClient(c));
export const lambdaClient = (patience: Patience = {}) => once('lambda', patience, (c) => new LambdaClient(c));
export const secretsManagerClient = (patience: Patience = {}) =>
  once('secretsmanager', patience, (c) => new SecretsManagerClient(c));
export const stepFunctionsClient = (patience: Patience = {}) => once('sfn', patience, (c) => new SFNClient(c));
export const ssmClient = (patience: Patience = {}) => once('ssm', patience, (c) => new SSMClient(c));
