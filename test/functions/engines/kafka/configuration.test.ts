import { describe, expect, it } from 'vitest';
import {
  type KafkaCluster,
  kafkaClusterSchema,
  logDirectoriesOf,
} from '../../../../functions/engines/kafka/configuration.ts';
import { KAFKA_CLUSTER } from './fixtures.ts';

const parse = (change: Record<string, unknown> = {}) => kafkaClusterSchema.safeParse({ ...KAFKA_CLUSTER, ...change });
const cluster = (change: Record<string, unknown> = {}): KafkaCluster =>
  kafkaClusterSchema.parse({ ...KAFKA_CLUSTER, ...change });
/** `field: message` of everything that is wrong. */
const refusals = (change: Record<string, unknown>) =>
  (parse(change).error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);

describe('a cluster of Kafka', () => {
  it('needs nothing but its port: the rest is what its packages and this guide have', () => {
    expect(cluster().kafka).toEqual({
      ...{ brokerPort: 9094, controllerPort: 9095, probeTopic: 'holdfast-probe', groups: [] },
    });
    expect(logDirectoriesOf(cluster())).toEqual(['/var/lib/kafka']);
    expect(logDirectoriesOf(cluster({ kafka: { logDirectories: ['/var/lib/kafka/a', '/data/b'] } }))).toEqual([
      ...['/var/lib/kafka/a', '/data/b'],
    ]);
  });

  it.each(['kafka', 'confluent-server', 'confluent-kafka'])('may have the unit %s', (unit) => {
    expect(cluster({ unit }).unit).toBe(unit);
  });

  it('has a query for the traffic of one broker: the shards are the probe’s own, and say nothing of it', () => {
    for (const trafficShareQuery of [undefined, 'share{s="{{shard}}"}']) {
      const telemetry = { prometheusUrl: 'http://prometheus.example', ...(trafficShareQuery && { trafficShareQuery }) };
      expect(refusals({ telemetry }).join()).toContain('telemetry.trafficShareQuery: is needed');
    }
  });

  it('has listeners on ports of their own: two on one are refused by the field', () => {
    const beside = (kafka: Record<string, unknown>, port: unknown = 9092) =>
      refusals({ port, unit: 'kafka@{port}', kafka });
    expect(beside({ brokerPort: 9092 })).toEqual(['kafka.brokerPort: 9092 is the port of another listener']);
    expect(beside({ controllerPort: 9094 })).toEqual(['kafka.controllerPort: 9094 is the port of another listener']);
    expect(beside({ brokerPort: [9094, 9192] }, [9092, 9192])).toEqual([
      'kafka.brokerPort: 9192 is the port of another listener',
    ]);
    expect(beside({ brokerPort: [9096, 9096] })).toEqual(['kafka.brokerPort: 9096 is the port of another listener']);
    expect(beside({ brokerPort: [9094, 9194], controllerPort: [9095, 9195] }, [9092, 9192])).toEqual([]);
    expect(
      beside(
        {},
        Array.from({ length: 14 }, (_, index) => 7000 + index),
      ),
    ).toEqual(['port: with those of brokers and controllers at most 15']);
  });

  it.each([{ zookeeperConnect: 'zk:2181' }, { zookeeper: {} }, { zkPort: 2181 }])(
    'is refused with ZooKeeper by name: %o',
    (own) => {
      const [name] = Object.keys(own);
      const message = `${name}: there is none, because Kafka is supported with KRaft only, not with ZooKeeper`;
      expect(refusals(own)).toEqual([`: ${message}`]);
      expect(refusals({ kafka: own })).toEqual([`kafka: ${message}`]);
      expect(refusals({ kafka: { other: 1 } })).toEqual([expect.stringMatching(/^kafka: .*other/)]);
    },
  );

  it('has the credentials that its listener asks for', () => {
    expect(refusals({ kafka: { sasl: 'SCRAM-SHA-512' } })).toEqual([
      'secretName: is needed beside kafka.sasl: the user and the password are in it',
    ]);
    const credentialsFor = { securityGroupId: 'sg-1' };
    expect(refusals({ kafka: { sasl: 'SCRAM-SHA-512' }, secretName: 's', credentialsFor })).toEqual([]);
    expect(refusals({ kafka: { sasl: 'GSSAPI' } })).toEqual([expect.stringMatching(/^kafka.sasl: .*SCRAM-SHA-256/)]);
  });

  it('is not talked to in plain text, nor by anybody, outside staging', () => {
    const tls = { serverName: '{node}.kafka.example' };
    const sasl = { kafka: { sasl: 'PLAIN' }, secretName: 's', credentialsFor: { securityGroupId: 'sg-1' } };
    const production = { tier: 'production' };
    expect(refusals({ ...production, ...sasl })).toEqual([expect.stringMatching(/^tls: is needed/)]);
    expect(refusals({ ...production, tls })).toEqual([expect.stringMatching(/^kafka.sasl: is needed/)]);
    expect(refusals({ ...production, ...sasl, tls })).toEqual([]);
    const clientCertificate = { secretName: 'c', hostCertificateFile: '/c', hostKeyFile: '/k' };
    expect(refusals({ ...production, tls: { ...tls, clientCertificate } })).toEqual([]);
  });

  it('names topics and groups as Kafka does, each once, and none of Kafka’s own', () => {
    for (const probeTopic of ['__consumer_offsets', '', '..', 'a b', 'x'.repeat(250)]) {
      expect(refusals({ kafka: { probeTopic } })).toEqual([expect.stringMatching(/^kafka.probeTopic: /)]);
    }
    expect(refusals({ kafka: { groups: ['a', 'a'] } })).toEqual(['kafka.groups: names a group twice']);
    expect(refusals({ kafka: { groups: ['a b'] } })).toEqual([expect.stringMatching(/^kafka.groups.0: /)]);
  });

  it('has its data where faults of the disk would look for it', () => {
    expect(refusals({ kafka: { logDirectories: ['/data/a', '/var/lib/kafka2'] } })).toEqual([
      'kafka.logDirectories: none is /var/lib/kafka or in it, which is the dataDirectory',
    ]);
    expect(refusals({ kafka: { logDirectories: ['/a', '/a'] } })).toContain(
      'kafka.logDirectories: names a directory twice',
    );
  });
});
