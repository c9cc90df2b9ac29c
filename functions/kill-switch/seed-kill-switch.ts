import { ConditionalCheckFailedException, type DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { switchIdOf } from '../domain/kill-switch.ts';

/** Creates the row that every host polls and those of the clusters. @throws the store's error */
export async function seedKillSwitches(
  dynamo: DynamoDBClient,
  tableName: string,
  clusters: readonly string[],
): Promise<void> {
  for (const cluster of [undefined, ...clusters]) await seedKillSwitch(dynamo, tableName, switchIdOf(cluster));
}

/** Unless it is there: a deployment must never disengage an engaged switch. */
export async function seedKillSwitch(
  dynamo: DynamoDBClient,
  tableName: string,
  switchId: string,
): Promise<'created' | 'existed'> {
  try {
    await dynamo.send(
      new PutItemCommand({
        TableName: tableName,
        Item: { leaseId: { S: switchId }, state: { S: 'HOLD' } },
        ConditionExpression: 'attribute_not_exists(leaseId)',
      }),
    );
    return 'created';
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return 'existed';
    throw error;
  }
}

/** The part of a CloudFormation custom resource's request that is used. */
export interface CustomResourceRequest {
  RequestType: 'Create' | 'Update' | 'Delete';
  ResponseURL: string;
  StackId: string;
  RequestId: string;
  LogicalResourceId: string;
  PhysicalResourceId?: string;
}

/** Answers CloudFormation in any case: without an answer it waits for an hour. Deleting the stack changes nothing. */
export async function answerCustomResource(
  request: CustomResourceRequest,
  seed: () => Promise<unknown>,
  put: (url: string, body: string) => Promise<void>,
): Promise<void> {
  let failure: string | undefined;
  try {
    if (request.RequestType !== 'Delete') await seed();
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
  }
  const { StackId, RequestId, LogicalResourceId } = request;
  const answer = {
    Status: failure === undefined ? 'SUCCESS' : 'FAILED',
    ...(failure === undefined ? {} : { Reason: failure }),
    PhysicalResourceId: request.PhysicalResourceId ?? 'holdfast-kill-switch',
    StackId,
    RequestId,
    LogicalResourceId,
  };
  await put(request.ResponseURL, JSON.stringify(answer));
}
