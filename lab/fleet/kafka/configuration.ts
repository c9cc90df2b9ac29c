import { NICENESS } from '../../shared/niceness.ts';
import type { HostContent, HostFile, LabHost, StoreKeys } from '../engine.ts';
import { APPLICATION } from '../store-keys.ts';
import {
  announcedAs,
  BROKER_PORT,
  CLIENT_PORT,
  CONTROLLER_PORT,
  KAFKA_ACCOUNT,
  KAFKA_HOSTS,
  KAFKA_UNIT,
  LOG_DIRECTORY,
  nodeIdOf,
  VOLUME,
} from './hosts.ts';
import { brokerCommand, installedProgram, PROGRAM_NAME } from './program.ts';
import { MIN_IN_SYNC } from './topics.ts';
import { BROKER, secretText } from './users.ts';

const VOLUME_MEBIBYTES = 512;
const CONFIGURATION_DIRECTORY = `${VOLUME}/config`;
const inConfiguration = (name: string): string => `${CONFIGURATION_DIRECTORY}/${name}`;
/** On each host, readable by root only: for a person who logs in, and for tests. */
export const HOST_FILES = { ca: '/etc/holdfast/ca.pem', application: '/etc/holdfast/application.json' } as const;

interface Session {
  timeoutMs: number;
  heartbeatMs: number;
  /** Of brokers, among the other processes of the lab. Absent: they wait for nobody, or they would be given up. */
  niceness?: number;
}

/** By session timeout, milliseconds: Kafka's defaults, and what a fleet that must be quick uses. */
const SESSIONS: Readonly<Record<string, Session>> = {
  9000: { timeoutMs: 9000, heartbeatMs: 2000, niceness: NICENESS.yielding },
  2000: { timeoutMs: 2000, heartbeatMs: 500 },
};
export const SESSION_VARIABLE = 'LAB_KAFKA_SESSION_MS';

/** @throws Error naming the timeouts there are. */
export function sessionOf(value = '9000'): Session {
  const session = SESSIONS[value];
  if (session === undefined)
    throw new Error(`${SESSION_VARIABLE}: ${value} is none of ${Object.keys(SESSIONS).join(', ')} (ms)`);
  return session;
}

/** Where a node keeps what it needs. */
export interface NodePaths {
  logDirectory: string;
  /** PEM: key and certificate; authority. */
  identity: string;
  authority: string;
}
const ON_HOST: NodePaths = {
  logDirectory: LOG_DIRECTORY,
  identity: inConfiguration('node.pem'),
  authority: inConfiguration('ca.pem'),
};

/** server.properties of a node that is broker and controller. */
export function serverProperties(
  host: Pick<LabHost, 'name'>,
  keys: Pick<StoreKeys, 'user'>,
  paths: NodePaths = ON_HOST,
  hosts: readonly Pick<LabHost, 'name'>[] = KAFKA_HOSTS,
): string {
  const { timeoutMs, heartbeatMs } = sessionOf(process.env[SESSION_VARIABLE]);
  const voters = hosts.map((each) => `${nodeIdOf(each)}@${announcedAs(each)}:${CONTROLLER_PORT}`);
  const broker = keys.user(BROKER);
  const scram = (login = '') => `org.apache.kafka.common.security.scram.ScramLoginModule required${login};`;
  return properties({
    'process.roles': 'broker,controller',
    'node.id': nodeIdOf(host),
    'controller.quorum.voters': voters.join(),
    listeners: `CLIENT://:${CLIENT_PORT},BROKER://:${BROKER_PORT},CONTROLLER://:${CONTROLLER_PORT}`,
    'advertised.listeners': `CLIENT://${announcedAs(host)}:${CLIENT_PORT},BROKER://${announcedAs(host)}:${BROKER_PORT}`,
    'listener.security.protocol.map': 'CLIENT:SASL_SSL,BROKER:SASL_SSL,CONTROLLER:SSL',
    'inter.broker.listener.name': 'BROKER',
    'controller.listener.names': 'CONTROLLER',
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': paths.identity,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': paths.authority,
    'sasl.enabled.mechanisms': 'SCRAM-SHA-512',
    'sasl.mechanism.inter.broker.protocol': 'SCRAM-SHA-512',
    'listener.name.client.scram-sha-512.sasl.jaas.config': scram(),
    'listener.name.broker.scram-sha-512.sasl.jaas.config': scram(
      ` username="${broker.username}" password="${broker.password}"`,
    ),
    // Logins are in the log that controllers agree on: among themselves they have their certificates alone.
    'listener.name.controller.ssl.client.auth': 'required',
    'listener.name.controller.ssl.principal.mapping.rules': `RULE:^CN=(${hosts.map(announcedAs).join('|')})$/${BROKER}/,DEFAULT`,
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': `User:${BROKER}`,
    'log.dirs': paths.logDirectory,
    'auto.create.topics.enable': false,
    'default.replication.factor': hosts.length,
    'min.insync.replicas': Math.min(MIN_IN_SYNC, hosts.length),
    'offsets.topic.replication.factor': hosts.length,
    'offsets.topic.num.partitions': 3,
    'transaction.state.log.replication.factor': hosts.length,
    'transaction.state.log.min.isr': Math.min(MIN_IN_SYNC, hosts.length),
    'transaction.state.log.num.partitions': 1,
    'group.initial.rebalance.delay.ms': 0,
    'broker.session.timeout.ms': timeoutMs,
    'broker.heartbeat.interval.ms': heartbeatMs,
    // By default every five minutes partitions go back to who led them first: in any experiment that is one election more.
    'auto.leader.rebalance.enable': false,
    // A small volume must not fill by the load alone.
    'log.segment.bytes': 8 * 1024 * 1024,
    'log.retention.bytes': 32 * 1024 * 1024,
    'log.retention.check.interval.ms': 10_000,
    // A small heap, and two processors for all.
    'log.cleaner.dedupe.buffer.size': 4 * 1024 * 1024,
    'log.index.size.max.bytes': 1024 * 1024,
    'num.network.threads': 1,
    'num.io.threads': 2,
    'background.threads': 2,
  });
}

function properties(of: Record<string, string | number | boolean>): string {
  return Object.entries(of)
    .map(([name, value]) => `${name}=${String(value).replaceAll('\\', '\\\\')}\n`)
    .join('');
}

/** To the unit's output. */
export const LOG_CONFIGURATION = `<Configuration status="WARN">
  <Appenders><Console name="out"><PatternLayout pattern="%d{ISO8601} %p %c{1} %m%n"/></Console></Appenders>
  <Loggers><Root level="INFO"><AppenderRef ref="out"/></Root></Loggers>
</Configuration>
`;

/** Key and certificate in one file, as Kafka reads PEM. */
export function identity({ certificate, key }: { certificate: string; key: string }): string {
  return `${key}${certificate}`;
}

/** What a host runs. @param logFiles of its log directory, as it was formatted: names and contents in base64 */
export function hostContent(host: LabHost, keys: StoreKeys, logFiles: Record<string, string>): HostContent {
  const file = (owner: string) => (path: string, content: string) => ({ path, owner, mode: 0o600, content });
  const [ofKafka, ofRoot] = [file(KAFKA_ACCOUNT), file('root')];
  const { ca, ...own } = keys.certificate(host.name);
  const [serverFile, logFile] = [inConfiguration('server.properties'), inConfiguration('log4j2.xml')];
  const { niceness } = sessionOf(process.env[SESSION_VARIABLE]);
  return {
    // Type=simple, as its packages have it: `systemctl start` does not wait until it serves.
    units: {
      [KAFKA_UNIT]: {
        argv: brokerCommand(serverFile, logFile),
        user: KAFKA_ACCOUNT,
        ...(niceness !== undefined && { niceness }),
      },
    },
    startAtBoot: [KAFKA_UNIT],
    programs: { [PROGRAM_NAME]: installedProgram() },
    dataDirectories: {},
    dataVolumes: { [VOLUME]: { mebibytes: VOLUME_MEBIBYTES, owner: KAFKA_ACCOUNT } },
    files: [
      ofKafka(serverFile, serverProperties(host, keys)),
      ofKafka(logFile, LOG_CONFIGURATION),
      ofKafka(ON_HOST.identity, identity(own)),
      ofKafka(ON_HOST.authority, ca),
      ofRoot(HOST_FILES.ca, ca),
      ofRoot(HOST_FILES.application, secretText(APPLICATION, keys)),
      ...Object.entries(logFiles).map(
        ([name, content]): HostFile => ({ ...ofKafka(`${LOG_DIRECTORY}/${name}`, content), encoding: 'base64' }),
      ),
    ],
  };
}
