import * as z from 'zod';
import {
  clusterFields,
  hostDirectory,
  MAX_PORTS,
  portNumber,
  portsOf,
  refineCluster,
} from '../../domain/configuration.ts';
import { trafficUnitOf } from '../../domain/guardrail-queries.ts';
import { NODE } from '../../domain/telemetry.ts';

/** A legal name of a topic that is not one of Kafka's own. */
const topicName = z
  .string()
  .regex(
    /^(?!__)(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}$/,
    'letters, digits, dot, dash and underscore, and none of Kafka’s own',
  );
const groupName = z.string().regex(/^[A-Za-z0-9._-]{1,93}$/, 'letters, digits, dot, dash and underscore, at most 93');
/** One for all brokers of a host, or a list as long as `port`. */
const ports = z.union([portNumber, z.array(portNumber).min(1).max(MAX_PORTS)]);

const ZOOKEEPER = /^(zookeeper|zk)/i;
/** Whoever looks for a field of ZooKeeper's is told why there is none. */
function refuseZooKeeper({ code, keys }: { code: string; keys?: unknown }): string | undefined {
  const named = Array.isArray(keys) ? keys.filter((key) => ZOOKEEPER.test(String(key))) : [];
  if (code !== 'unrecognized_keys' || named.length === 0) return undefined;
  return `${named.join(', ')}: there is none, because Kafka is supported with KRaft only, not with ZooKeeper`;
}

/** Kafka with KRaft. */
export const kafkaClusterSchema = z
  .strictObject(
    {
      engine: z.literal('kafka'),
      ...clusterFields,
      kafka: z
        .strictObject(
          {
            /** Of the listener that brokers use among themselves. */
            brokerPort: ports.default(9094),
            /** Of the controllers' listener, also where these run apart. */
            controllerPort: ports.default(9095),
            /** What the clients' listener (`port`) asks for; user and password are in `secretName`. */
            sasl: z.enum(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']).optional(),
            /** The probe writes here. At least one partition a broker, so that each leads one. */
            probeTopic: topicName.default('holdfast-probe'),
            /** Consumer groups whose coordinator may be a target. */
            groups: z
              .array(groupName)
              .max(20)
              .refine((names) => new Set(names).size === names.length, 'names a group twice')
              .default([]),
            /** `log.dirs` of the brokers. Absent: `dataDirectory` alone. */
            logDirectories: z
              .array(hostDirectory)
              .min(1)
              .max(20)
              .refine((paths) => new Set(paths).size === paths.length, 'names a directory twice')
              .optional(),
          },
          { error: refuseZooKeeper },
        )
        .prefault({}),
    },
    { error: refuseZooKeeper },
  )
  .superRefine(refineCluster)
  .superRefine((cluster, context) => {
    const refuse = (path: string[], message: string) =>
      context.issues.push({ code: 'custom', path, message, input: cluster });
    const { brokerPort, controllerPort, sasl, logDirectories } = cluster.kafka;
    const taken = new Set(portsOf(cluster));
    for (const [field, value] of Object.entries({ brokerPort, controllerPort })) {
      const own = [value].flat();
      const twice = own.find((port, index) => taken.has(port) || own.indexOf(port) < index);
      if (twice !== undefined) refuse(['kafka', field], `${twice} is the port of another listener`);
      for (const port of own) taken.add(port);
    }
    // As many as one rule of the packet filter takes.
    if (taken.size > MAX_PORTS + 1) refuse(['port'], `with those of brokers and controllers at most ${MAX_PORTS + 1}`);
    if (sasl !== undefined && cluster.secretName === undefined)
      refuse(['secretName'], 'is needed beside kafka.sasl: the user and the password are in it');
    if (cluster.tier !== 'staging' && sasl === undefined && !cluster.tls?.clientCertificate)
      refuse(
        ['kafka', 'sasl'],
        'is needed, or tls.clientCertificate: only in a cluster of tier "staging" may anybody be a client',
      );
    if (trafficUnitOf(cluster) !== 'node')
      refuse(
        ['telemetry', 'trafficShareQuery'],
        `is needed, with ${NODE}: the share of the traffic that a broker takes, as in sum(rate(records_produced_total{broker="${NODE}"}[60s])) / sum(rate(records_produced_total[60s]))`,
      );
    const { dataDirectory } = cluster;
    const isWithin = (path: string) => path === dataDirectory || path.startsWith(`${dataDirectory}/`);
    if (logDirectories && !logDirectories.some(isWithin))
      refuse(['kafka', 'logDirectories'], `none is ${dataDirectory} or in it, which is the dataDirectory`);
  });
export type KafkaCluster = z.output<typeof kafkaClusterSchema>;

export function logDirectoriesOf({ dataDirectory, kafka }: Pick<KafkaCluster, 'dataDirectory' | 'kafka'>): string[] {
  return kafka.logDirectories ?? [dataDirectory];
}
