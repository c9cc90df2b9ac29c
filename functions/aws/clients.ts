import { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EC2Client } from '@aws-sdk/client-ec2';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { FisClient } from '@aws-sdk/client-fis';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SNSClient } from '@aws-sdk/client-sns';
import { SSMClient } from '@aws-sdk/client-ssm';
import { CONNECT_TIMEOUT_MS, PATIENCE } from '../domain/timing.ts';

type PatienceName = keyof typeof PATIENCE;

/**
 * One client for each patience in a process, made when it is first asked for. Marked as pure where it is called, so that
 * a bundle keeps only the clients that its function uses.
 */
function clientOf<C>(make: (config: ReturnType<typeof configOf>) => C): (patience?: PatienceName) => C {
  const made = new Map<PatienceName, C>();
  return (patience = 'ordinary') => {
    const client = made.get(patience) ?? make(configOf(patience));
    made.set(patience, client);
    return client;
  };
}

function configOf(patience: PatienceName) {
  const { attempts, timeoutMs } = PATIENCE[patience];
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

export const dynamoClient = /* @__PURE__ */ clientOf((config) => new DynamoDBClient(config));
export const autoScalingClient = /* @__PURE__ */ clientOf((config) => new AutoScalingClient(config));
export const cloudWatchClient = /* @__PURE__ */ clientOf((config) => new CloudWatchClient(config));
export const ec2Client = /* @__PURE__ */ clientOf((config) => new EC2Client(config));
export const eventBridgeClient = /* @__PURE__ */ clientOf((config) => new EventBridgeClient(config));
export const fisClient = /* @__PURE__ */ clientOf((config) => new FisClient(config));
export const lambdaClient = /* @__PURE__ */ clientOf((config) => new LambdaClient(config));
export const s3Client = /* @__PURE__ */ clientOf((config) => new S3Client(config));
export const secretsManagerClient = /* @__PURE__ */ clientOf((config) => new SecretsManagerClient(config));
export const stepFunctionsClient = /* @__PURE__ */ clientOf((config) => new SFNClient(config));
export const snsClient = /* @__PURE__ */ clientOf((config) => new SNSClient(config));
export const ssmClient = /* @__PURE__ */ clientOf((config) => new SSMClient(config));
