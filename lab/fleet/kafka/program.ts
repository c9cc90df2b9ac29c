import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHECKOUT } from '../../shared/files.ts';
import { cachedBy } from '../../shared/user-cache.ts';

/** Lists that lab/setup.sh fetches by, and holds what it has fetched to. */
const POM = 'lab/fleet/kafka/pom.xml';
const JARS = 'lab/fleet/kafka/jars.sha256';
const OPTIONS = 'lab/fleet/kafka/jvm.options';
/** Of the classes that a broker loads: a JVM maps it instead of reading them. In the program's directory, beside lib/. */
export const CLASS_ARCHIVE = 'classes.jsa';
/** Where hosts have the program: an archive of classes is good for one path only. */
export const PROGRAM_NAME = 'kafka';
export const PROGRAM_DIRECTORY = `/run/lab/${PROGRAM_NAME}`;

/** @throws Error that says how to get them when the jars are not there. */
export function installedProgram(): string {
  const directory = cachedBy('kafka', POM, JARS);
  if (!existsSync(directory)) throw new Error('the jars of the brokers are missing: run sh lab/setup.sh kafka');
  return directory;
}

function lines(file: string): string[] {
  return readFileSync(join(CHECKOUT, file), 'utf8').split('\n').filter(Boolean);
}

/** `java` with a class of the program that lies in this directory, as its archive of classes wants it. */
export function java(directory: string, flags: readonly string[], ...mainClass: string[]): string[] {
  const jars = lines(JARS).map((line) => join(directory, 'lib', line.replace(/^\S+ +/, '')));
  return ['/usr/bin/java', ...lines(OPTIONS), ...flags, '-cp', jars.join(':'), ...mainClass];
}

/** The command of a broker on a host. */
export function brokerCommand(propertiesFile: string, logConfiguration: string): string[] {
  const archive = existsSync(join(installedProgram(), CLASS_ARCHIVE))
    ? [`-XX:SharedArchiveFile=${join(PROGRAM_DIRECTORY, CLASS_ARCHIVE)}`, '-Xshare:auto']
    : [];
  const flags = [...archive, `-Dlog4j2.configurationFile=${logConfiguration}`];
  return java(PROGRAM_DIRECTORY, flags, 'kafka.Kafka', propertiesFile);
}
