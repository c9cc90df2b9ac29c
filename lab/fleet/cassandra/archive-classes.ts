/**
 * Runs a node as the lab's hosts do, until it serves, and keeps an archive of the classes that it has loaded: the JVM of
 * every later one maps them. Started by setup.sh in namespaces of its own, as their first process.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { createAuthority } from '../../shared/authority.ts';
import { OWN_FILES } from '../../shared/files.ts';
import { identity, LOG_CONFIGURATION, nodeConfiguration, rackProperties } from './configuration.ts';
import { nameOf, ORDERS_RING } from './hosts.ts';
import { CLASS_ARCHIVE, installedProgram, nodeCommand, PROGRAM_DIRECTORY } from './program.ts';

const SERVING = 'Startup complete';
/** A machine that others keep busy takes minutes. */
const TIMEOUT_MS = 240_000;

const [first] = ORDERS_RING.hosts;
if (first === undefined) throw new Error('no host');
const host = { ...first, dataAddress: '127.0.0.1' };
const ring = { ...ORDERS_RING, hosts: [host], datacenters: { [host.datacenter]: 1 } };

const program = installedProgram();
execFileSync('mount', ['-n', '-t', 'tmpfs', 'archive', '/run']);
mkdirSync(PROGRAM_DIRECTORY, { recursive: true });
execFileSync('mount', ['-n', '--bind', program, PROGRAM_DIRECTORY]);
execFileSync('ip', ['link', 'set', 'lo', 'up']);
const place = '/run/node';
const inPlace = (file: string): string => join(place, file);
mkdirSync(inPlace(OWN_FILES.tls), { recursive: true });
writeFileSync(inPlace('hosts'), `127.0.0.1 localhost ${nameOf(host)} ${hostname()}\n`);
execFileSync('mount', ['-n', '--bind', inPlace('hosts'), '/etc/hosts']);

const [certificate, key, authority] = [inPlace('node.crt'), inPlace('node.key'), inPlace('ca.pem')];
const subjectAltName = `DNS:${nameOf(host)}`;
const wanted = { certificate, key, commonName: nameOf(host), subjectAltName, usage: 'serverAuth,clientAuth' };
createAuthority(place, authority, 'Archive', [wanted]);
const text = (file: string): string => readFileSync(file, 'utf8');
const directories = {
  data: inPlace('data'),
  commitLog: inPlace('commitlog'),
  hints: inPlace('hints'),
  savedCaches: inPlace('saved_caches'),
};
const paths = { directories, identity: inPlace('node.pem'), authority };
const files = {
  configuration: inPlace('cassandra.yaml'),
  logging: inPlace('logback.xml'),
  rack: inPlace('cassandra-rackdc.properties'),
  storage: place,
  ringDelayMs: 500,
};
writeFileSync(paths.identity, identity({ certificate: text(certificate), key: text(key) }));
writeFileSync(files.configuration, nodeConfiguration(host, ring, paths));
writeFileSync(files.logging, LOG_CONFIGURATION);
writeFileSync(files.rack, rackProperties(host));

const archive = join(PROGRAM_DIRECTORY, `${CLASS_ARCHIVE}.${process.pid}-${Date.now()}`);
const [command = '', ...argv] = nodeCommand(files, [`-XX:ArchiveClassesAtExit=${archive}`]);
const node = spawn(command, argv, {
  stdio: ['ignore', 'pipe', 'inherit'],
  timeout: TIMEOUT_MS,
  killSignal: 'SIGKILL',
});
const ended = once(node, 'close');
let output = '';
node.stdout.on('data', (chunk: Buffer) => {
  process.stdout.write(chunk);
  output += chunk.toString('utf8');
  if (output.includes(SERVING) && node.exitCode === null) node.kill('SIGTERM');
});
await ended;
if (!output.includes(SERVING)) throw new Error('the node did not come to serve');
renameSync(archive, join(PROGRAM_DIRECTORY, CLASS_ARCHIVE));
