import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DynamoDBClient,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import dynalite from 'dynalite';
import { listening } from '../listening.ts';

/** A DynamoDB on this machine with one empty table, of one key unless `own` says more. It knows no PartiQL. */
export async function localDynamo(tableName: string, key: string, own: Partial<CreateTableCommandInput> = {}) {
  const server = dynalite({ createTableMs: 0 });
  const dynamo = new DynamoDBClient({
    endpoint: `http://127.0.0.1:${await listening(server)}`,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  await dynamo.send(
    new CreateTableCommand({
      TableName: tableName,
      AttributeDefinitions: [{ AttributeName: key, AttributeType: 'S' }],
      KeySchema: [{ AttributeName: key, KeyType: 'HASH' }],
      BillingMode: 'PAY_PER_REQUEST',
      ...own,
    }),
  );
  await waitUntilTableExists(
    { client: dynamo, minDelay: 0.01, maxDelay: 0.1, maxWaitTime: 5 },
    { TableName: tableName },
  );
  const close = async () => {
    dynamo.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return { dynamo, close };
}
