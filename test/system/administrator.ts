import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { join } from 'node:path';
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { FisClient, StopExperimentCommand } from '@aws-sdk/client-fis';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { SFNClient, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { GetCommandInvocationCommand, SendCommandCommand, SSMClient } from '@aws-sdk/client-ssm';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { Lab } from '../../lab/runtime/lab-file.ts';
import { LAB_FILES } from '../../lab/shared/files.ts';
import { STACK_NAME } from '../../lab/shared/topology.ts';
import { waitFor } from '../../lab/shared/wait-for.ts';
import { SYSTEM_LAB_DIRECTORY } from './directory.ts';

/** What every fault document takes besides the fault itself. */
const COMMON_PARAMETERS = {
  leaseGraceSeconds: '3',
  engine: 'redis',
  unit: 'redis-server',
  storePorts: '6379,26379',
  exemptAddresses: '',
  fence: 'none',
  fenceMasterName: '',
  fenceSentinels: '',
  fenceCredentialsFile: '',
  fenceServerNames: '',
  fenceCaFile: '',
  fenceCertificateFile: '',
  fenceKeyFile: '',
};

interface ClientOptions {
  region: string;
  endpoint: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
  requestHandler: NodeHttpHandler;
}

/** Someone with a key whom IAM allows everything: what can be done past the API. */
export class Administrator {
  readonly #lab: Lab;

  constructor(lab: Lab) {
    this.#lab = lab;
  }

  /**
   * Our document on a host, without the API.
   * @returns the one line the program printed.
   */
  runDocument(instanceId: string, document: string, parameters: Record<string, string>): Promise<unknown> {
    const all = { ...COMMON_PARAMETERS, ...parameters };
    return this.#with(
      (options) => new SSMClient(options),
      async (ssm) => {
        const sent = await ssm.send(
          new SendCommandCommand({
            InstanceIds: [instanceId],
            DocumentName: `Holdfast-${STACK_NAME}-${document}`,
            Parameters: Object.fromEntries(Object.entries(all).map(([name, value]) => [name, [value]])),
          }),
        );
        let output = '';
        await waitFor('end of the command', 30, async () => {
          const invocation = { CommandId: sent.Command?.CommandId, InstanceId: instanceId };
          const answer = await ssm.send(new GetCommandInvocationCommand(invocation));
          output = answer.StandardOutputContent || answer.StandardErrorContent || '';
          return ['Success', 'Failed'].includes(answer.Status ?? '') ? undefined : `it is ${answer.Status}`;
        });
        return JSON.parse(output);
      },
    );
  }

  /** What the console's *Stop execution* does: nothing of the state machine runs any more, not even its catchers. */
  stopExecution(name: string): Promise<void> {
    const { stateMachineArn } = awsReady();
    const executionArn = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
    return this.#with(
      (options) => new SFNClient(options),
      async (stepFunctions) => {
        await stepFunctions.send(new StopExecutionCommand({ executionArn }));
      },
    );
  }

  /** Runs a function of the stack, as its schedule would. @returns its answer. @throws Error when it failed */
  invoke(construct: string): Promise<unknown> {
    const { functions } = awsReady();
    const [logicalId] = Object.keys(functions).filter((id) => id.includes(construct));
    return this.#with(
      (options) => new LambdaClient(options),
      async (lambda) => {
        const FunctionName = functions[logicalId ?? ''];
        const { FunctionError, Payload } = await lambda.send(new InvokeCommand({ FunctionName, Payload: '{}' }));
        const text = Buffer.from(Payload ?? []).toString('utf8');
        if (FunctionError) throw new Error(`${construct}: ${text}`);
        return JSON.parse(text);
      },
    );
  }

  /** Past the log's own way in: what no role of the stack could write. */
  putAuditEntry(entry: { experimentId: string; sequence: number } & Record<string, unknown>): Promise<void> {
    const item = Object.entries({
      ...entry,
      actor: JSON.stringify(entry.actor),
      details: JSON.stringify(entry.details),
    });
    return this.#with(
      (options) => new DynamoDBClient(options),
      async (dynamo) => {
        const Item = Object.fromEntries(
          item.map(([name, value]) => [name, typeof value === 'number' ? { N: String(value) } : { S: String(value) }]),
        );
        await dynamo.send(new PutItemCommand({ TableName: tableName('AuditTable'), Item }));
      },
    );
  }

  /** What the console's *Stop experiment* does, in FIS. */
  stopFisExperiment(id: string): Promise<void> {
    return this.#with(
      (options) => new FisClient(options),
      async (fis) => {
        await fis.send(new StopExperimentCommand({ id }));
      },
    );
  }

  async #with<C extends { destroy(): void }, T>(
    make: (options: ClientOptions) => C,
    use: (client: C) => Promise<T>,
  ): Promise<T> {
    const { administrator, apiUrl, region, caFile } = this.#lab;
    if (!administrator || !apiUrl) throw new Error('the lab has no AWS side');
    const agent = new Agent({ ca: readFileSync(caFile) });
    const requestHandler = new NodeHttpHandler({ httpsAgent: agent });
    const client = make({ region, endpoint: apiUrl, credentials: administrator, requestHandler });
    try {
      return await use(client);
    } finally {
      client.destroy();
      agent.destroy();
    }
  }
}

export function tableName(part: string): string {
  const { tables } = awsReady();
  const name = tables.find((candidate) => candidate.includes(part));
  if (!name) throw new Error(`no ${part} among ${tables}`);
  return name;
}

interface AwsReady {
  stateMachineArn: string;
  tables: string[];
  /** Logical id → name. */
  functions: Record<string, string>;
}

/** As the AWS process of the lab wrote it. */
function awsReady(): AwsReady {
  return JSON.parse(readFileSync(join(SYSTEM_LAB_DIRECTORY, LAB_FILES.awsReady), 'utf8'));
}
