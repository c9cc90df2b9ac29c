import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { DynamoDBClient, PutItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { SendCommandCommand, SSMClient } from '@aws-sdk/client-ssm';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { grantFor } from '../functions/domain/grant.ts';
import type { Lab } from '../lab/runtime/lab-file.ts';
import { STACK_NAME } from '../lab/shared/topology.ts';

/** Quicker than any guard: two advances are seen soon. */
const BEAT_EVERY_MS = 300;

export interface FleetFault {
  /** Stops the beats, whatever became of the lease. */
  stop(): Promise<void>;
}

/**
 * A partition on every host at once, each cut off from one host of another shard, under a lease that beats here: no
 * admission would let a fault into a whole fleet, so this goes past it, with the rights of an administrator.
 * @param peers host → the one it is cut off from
 */
export async function faultOnFleet(
  lab: Lab,
  leaseTable: string,
  experimentId: string,
  peers: ReadonlyMap<Lab['hosts'][number], Lab['hosts'][number]>,
): Promise<FleetFault> {
  const { administrator, apiUrl, region, caFile } = lab;
  if (!administrator || !apiUrl) throw new Error('the lab has no AWS side');
  const httpsAgent = new Agent({ ca: readFileSync(caFile), keepAlive: true });
  const options = {
    ...{ region, endpoint: apiUrl, credentials: administrator },
    requestHandler: new NodeHttpHandler({ httpsAgent }),
  };
  const [dynamo, ssm] = [new DynamoDBClient(options), new SSMClient(options)];
  const commands = [...peers].map(([host, peer], index) => ({
    instanceId: host.instanceId,
    parameters: parametersFor(experimentId, index + 1, peer.dataAddress),
  }));
  const grants = commands.map(({ instanceId, parameters }) => grantFor(instanceId, parameters));
  const Key = { leaseId: { S: experimentId } };
  await dynamo.send(
    new PutItemCommand({
      TableName: leaseTable,
      Item: { ...Key, state: { S: 'HOLD' }, beat: { N: '0' }, grants: { SS: grants } },
    }),
  );
  const stopped = new AbortController();
  const beating = (async () => {
    while (!stopped.signal.aborted) {
      await dynamo.send(
        new UpdateItemCommand({
          ...{ TableName: leaseTable, Key, UpdateExpression: 'ADD beat :one' },
          ExpressionAttributeValues: { ':one': { N: '1' } },
        }),
      );
      await delay(BEAT_EVERY_MS);
    }
  })();
  const stop = async () => {
    stopped.abort();
    await beating.finally(() => {
      for (const client of [dynamo, ssm]) client.destroy();
      httpsAgent.destroy();
    });
  };
  try {
    await Promise.all(
      commands.map(({ instanceId, parameters }) =>
        ssm.send(
          new SendCommandCommand({
            InstanceIds: [instanceId],
            DocumentName: `Holdfast-${STACK_NAME}-network-partition`,
            Parameters: Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, [value]])),
          }),
        ),
      ),
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return { stop };
}

function parametersFor(experimentId: string, number: number, peerAddress: string): Record<string, string> {
  const unused = ['fenceMasterName', 'fenceSentinels', 'fenceCredentialsFile', 'fenceServerNames', 'fenceCaFile'];
  return {
    ...{ experimentId, faultId: `${experimentId}.${number}`, ttlSeconds: '60', leaseGraceSeconds: '3' },
    ...{ engine: 'redis', unit: 'redis-server', storePorts: '6379,26379', exemptAddresses: '', fence: 'none' },
    ...Object.fromEntries([...unused, 'fenceCertificateFile', 'fenceKeyFile'].map((name) => [name, ''])),
    ...{ peerAddresses: peerAddress, scope: 'peers', direction: 'both', packetLossPct: '100', ports: '', flap: '' },
  };
}
