import type { ConnectionOptions } from 'node:tls';
import { type Client, type ClientOptions, policies, types } from 'cassandra-driver';
import type { ProbeChoices } from '../../domain/experiment.ts';
import type { TargetNode } from '../../domain/targets.ts';
import type { StoreAccess } from '../engine.ts';
import { cassandraAccess } from './access.ts';
import type { CassandraCluster } from './configuration.ts';

/** The part of the driver's client that the probe uses. */
export type CqlClient = Pick<Client, 'connect' | 'execute' | 'batch' | 'getReplicas' | 'shutdown'> & {
  on(event: 'hostDown' | 'hostUp', listener: (host: { address: string }) => void): unknown;
};

export const CONSISTENCY = {
  QUORUM: types.consistencies.quorum,
  LOCAL_QUORUM: types.consistencies.localQuorum,
  EACH_QUORUM: types.consistencies.eachQuorum,
} as const;

const CQL_PORT = 9042;
const REQUEST_TIMEOUT_MS = 1000;
const SPECULATE_AFTER_MS = 100;
const MORE_EXECUTIONS = 2;

/** How the clients of one probe are set; all of one application, so they have their timestamps from one generator. */
export function probeClients(
  cluster: CassandraCluster,
  access: StoreAccess,
  { datacenter, choices }: { datacenter: string; choices: ProbeChoices },
) {
  const { login, tlsAmong } = cassandraAccess(cluster, access);
  const generator =
    choices.timestamps === 'client' ? new policies.timestampGeneration.MonotonicTimestampGenerator(1000, 0) : null;
  const common = (nodes: readonly TargetNode[]): ClientOptions => ({
    contactPoints: nodes.flatMap(({ addresses, port }) => addresses.map((address) => endpoint(address, port))),
    localDataCenter: datacenter,
    // Under which its peers are looked for.
    protocolOptions: { port: nodes[0]?.port ?? CQL_PORT },
    ...(login ? { credentials: login } : {}),
    ...sslOptions(tlsAmong(nodes)),
  });
  // By the driver's documentation null leaves the timestamp to the node that is asked; its types do not say so.
  const timestamps = { timestampGeneration: generator as policies.timestampGeneration.TimestampGenerator };
  return {
    /** Of the whole datacenter, as an application's. */
    ofDatacenter: (members: readonly TargetNode[]): ClientOptions =>
      choices.client === 'default'
        ? { ...common(members), policies: timestamps }
        : {
            ...common(members),
            queryOptions: { isIdempotent: true },
            ...quick,
            policies: {
              ...timestamps,
              reconnection: new policies.reconnection.ConstantReconnectionPolicy(1000),
              speculativeExecution: new policies.speculativeExecution.ConstantSpeculativeExecutionPolicy(
                SPECULATE_AFTER_MS,
                MORE_EXECUTIONS,
              ),
            },
          },
    /** Of one node, which alone is asked, and once. */
    ofNode: (node: TargetNode): ClientOptions => ({
      ...common([node]),
      ...quick,
      policies: {
        ...timestamps,
        loadBalancing: new policies.loadBalancing.AllowListPolicy(
          new policies.loadBalancing.RoundRobinPolicy(),
          node.addresses.map((address) => endpoint(address, node.port)),
        ),
        reconnection: new policies.reconnection.ConstantReconnectionPolicy(1000),
        retry: new policies.retry.FallthroughRetryPolicy(),
      },
    }),
  };
}

/** What a node that has gone silent costs. */
const quick = {
  socketOptions: {
    readTimeout: REQUEST_TIMEOUT_MS,
    connectTimeout: REQUEST_TIMEOUT_MS,
    defunctReadTimeoutThreshold: 4,
  },
  pooling: { heartBeatInterval: 1000 },
} satisfies ClientOptions;

function endpoint(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function sslOptions(tls: ConnectionOptions | undefined): Pick<ClientOptions, 'sslOptions'> {
  return tls ? { sslOptions: tls } : {};
}
