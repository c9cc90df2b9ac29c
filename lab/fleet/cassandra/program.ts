import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHECKOUT } from '../../shared/files.ts';
import { cachedBy } from '../../shared/user-cache.ts';

/** Lists that lab/setup.sh fetches by, and holds what it has fetched to. */
const POM = 'lab/fleet/cassandra/pom.xml';
const JARS = 'lab/fleet/cassandra/jars.sha256';
const OPTIONS = 'lab/fleet/cassandra/jvm.options';
/** Of the classes that a node loads: a JVM maps it instead of reading them. In the program's directory, beside lib/. */
export const CLASS_ARCHIVE = 'classes.jsa';
/** Where hosts have the program: an archive of classes is good for one path only. */
export const PROGRAM_NAME = 'cassandra';
export const PROGRAM_DIRECTORY = `/run/lab/${PROGRAM_NAME}`;

/** @throws Error that says how to get them when the jars are not there. */
export function installedProgram(): string {
  const directory = cachedBy('cassandra', POM, JARS);
  if (!existsSync(directory)) throw new Error('the jars of the nodes are missing: run sh lab/setup.sh cassandra');
  return directory;
}

function lines(file: string): string[] {
  return readFileSync(join(CHECKOUT, file), 'utf8').split('\n').filter(Boolean);
}

/** On the host's loopback alone, see jvm.options. */
const JMX_PORT = 7199;

/** What differs between one node and the next. */
export interface NodeFiles {
  /** cassandra.yaml, logback.xml. */
  configuration: string;
  logging: string;
  /** What no setting names lies below it. */
  storage: string;
  /** How long a node waits for others, milliseconds. */
  ringDelayMs: number;
  /** Datacenter and rack; absent: one of each. */
  rack?: string;
  /** Address of the node whose place it takes when it starts for the first time. */
  replaces?: string;
}

function jarPaths(): string[] {
  return lines(JARS).map((line) => join(PROGRAM_DIRECTORY, 'lib', line.replace(/^\S+ +/, '')));
}

/** The command of a node. @param flags of the JVM beside those of all */
export function nodeCommand(files: NodeFiles, flags: readonly string[] = archiveFlags()): string[] {
  const jars = jarPaths();
  const agent = jars.find((jar) => /\/jamm-[^/]+\.jar$/.test(jar));
  return [
    '/usr/bin/java',
    ...lines(OPTIONS),
    ...flags,
    // It measures what objects in memory take.
    `-javaagent:${agent}`,
    `-Dcassandra.ring_delay_ms=${files.ringDelayMs}`,
    `-Dcassandra.config=file://${files.configuration}`,
    `-Dcassandra.storagedir=${files.storage}`,
    `-Dlogback.configurationFile=file://${files.logging}`,
    ...(files.replaces === undefined ? [] : [`-Dcassandra.replace_address_first_boot=${files.replaces}`]),
    ...(files.rack === undefined ? [] : [`-Dcassandra-rackdc.properties=file://${files.rack}`]),
    ...['-cp', jars.join(':'), 'org.apache.cassandra.service.CassandraDaemon'],
  ];
}

/** A script that asks the node of its host for what only the node can do to itself. */
export function nodetoolScript(): string {
  // As a node's, so that the archive of its classes is good for it too.
  const options = lines(OPTIONS).filter((line) => /^(--add-|-XX:)/.test(line));
  // It is there for a second, and what it remembers of its user is the host's.
  const small = ['-Xmx128m', '-Duser.home=/tmp', '-XX:-PrintWarnings', ...options, ...archiveFlags()];
  const tool = `org.apache.cassandra.tools.NodeTool -h 127.0.0.1 -p ${JMX_PORT}`;
  return `#!/bin/sh\nexec /usr/bin/java ${small.join(' ')} -cp ${jarPaths().join(':')} ${tool} "$@"\n`;
}

function archiveFlags(): string[] {
  if (!existsSync(join(installedProgram(), CLASS_ARCHIVE))) return [];
  return [`-XX:SharedArchiveFile=${join(PROGRAM_DIRECTORY, CLASS_ARCHIVE)}`, '-Xshare:auto'];
}
