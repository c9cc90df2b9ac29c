/**
 * Runs a broker as the lab's hosts do, until it serves, and keeps an archive of the classes that it has loaded: the JVM of
 * every later one maps them. Started by setup.sh in namespaces of its own, as their first process.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { createAuthority } from '../../shared/authority.ts';
import { OWN_FILES } from '../../shared/files.ts';
import { identity, LOG_CONFIGURATION, serverProperties } from './configuration.ts';
import { formatLogDirectories } from './format.ts';
import { announcedAs, KAFKA_HOSTS } from './hosts.ts';
import { CLASS_ARCHIVE, installedProgram, java, PROGRAM_DIRECTORY } from './program.ts';

const SERVING = 'Kafka Server started';
/** A machine that others keep busy takes minutes. */
const TIMEOUT_MS = 240_000;

const hosts = KAFKA_HOSTS.slice(0, 1);
const [host] = hosts;
if (host === undefined) throw new Error('no host');
const name = announcedAs(host);
const keys = { user: (username: string) => ({ username, password: 'archive' }) };

const program = installedProgram();
execFileSync('mount', ['-n', '-t', 'tmpfs', 'archive', '/run']);
mkdirSync(PROGRAM_DIRECTORY, { recursive: true });
execFileSync('mount', ['-n', '--bind', program, PROGRAM_DIRECTORY]);
execFileSync('ip', ['link', 'set', 'lo', 'up']);
const place = '/run/broker';
const inPlace = (file: string): string => join(place, file);
mkdirSync(inPlace(OWN_FILES.tls), { recursive: true });
writeFileSync(inPlace('hosts'), `127.0.0.1 localhost ${name} ${hostname()}\n`);
execFileSync('mount', ['-n', '--bind', inPlace('hosts'), '/etc/hosts']);

const [certificate, key, authority] = [inPlace('node.crt'), inPlace('node.key'), inPlace('ca.pem')];
const wanted = { certificate, key, commonName: name, subjectAltName: `DNS:${name}`, usage: 'serverAuth,clientAuth' };
createAuthority(place, authority, 'Archive', [wanted]);
const text = (file: string): string => readFileSync(file, 'utf8');
const paths = { logDirectory: inPlace('data'), identity: inPlace('node.pem'), authority };
writeFileSync(paths.identity, identity({ certificate: text(certificate), key: text(key) }));
writeFileSync(inPlace('server.properties'), serverProperties(host, keys, paths, hosts));
writeFileSync(inPlace('log4j2.xml'), LOG_CONFIGURATION);
const formatted = await formatLogDirectories(keys, place, hosts);
for (const [file, content] of Object.entries(formatted[host.name] ?? {})) {
  const path = join(paths.logDirectory, file);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, Buffer.from(content, 'base64'));
}

const archive = join(PROGRAM_DIRECTORY, `${CLASS_ARCHIVE}.${process.pid}-${Date.now()}`);
const flags = [`-XX:ArchiveClassesAtExit=${archive}`, `-Dlog4j2.configurationFile=${inPlace('log4j2.xml')}`];
const [command = '', ...argv] = java(PROGRAM_DIRECTORY, flags, 'kafka.Kafka', inPlace('server.properties'));
const broker = spawn(command, argv, {
  stdio: ['ignore', 'pipe', 'inherit'],
  timeout: TIMEOUT_MS,
  killSignal: 'SIGKILL',
});
const ended = once(broker, 'close');
let output = '';
broker.stdout.on('data', (chunk: Buffer) => {
  process.stdout.write(chunk);
  output += chunk.toString('utf8');
  if (output.includes(SERVING) && broker.exitCode === null) broker.kill('SIGTERM');
});
await ended;
if (!output.includes(SERVING)) throw new Error('the broker did not come to serve');
renameSync(archive, join(PROGRAM_DIRECTORY, CLASS_ARCHIVE));
