import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { LAB_FILE } from '../../cli/lab-file.ts';

/** The checkout this lab runs from. */
export const CHECKOUT = resolve(import.meta.dirname, '../..');

/** Files and sockets of a running lab, all below one directory (`.lab` of the checkout). */
export const LAB_FILES = {
  cdkOut: 'cdk.out',
  caFile: 'tls/ca.pem',
  serverCertificate: 'tls/server.pem',
  serverKey: 'tls/server.key',
  /** TLS, same service as AWS_PORT: for the relay from outside the lab's namespaces. */
  awsSocket: 'aws.sock',
  /** Plain HTTP for the lab's own tests and bench: processes, alarm states, counted usage. */
  controlSocket: 'control.sock',
  /** Written by the AWS process when it is ready: credentials and ids. */
  awsReady: 'aws.json',
  /** What an application opens the stores with: `{"username","password"}`. */
  storeSecret: 'store-secret.json',
  /** What the stand-in for Secrets Manager holds: `{name: {text, keyArn?}}`. */
  secrets: 'secrets.json',
  /** What the stand-in for S3 holds: a folder for each bucket. */
  objects: 's3',
  /** What a user of the lab needs. */
  lab: LAB_FILE,
} as const;

/** Files that only the lab's own processes share. */
export const OWN_FILES = {
  /** The supervisor's `{pid, startTime}`: whom `down` ends. */
  supervisor: 'lab.pid',
  /** What every part of the lab is doing. */
  status: 'status.json',
  /** `{instanceId: token}`: how the stand-in for SSM knows its agents. */
  agents: 'agents.json',
  tls: 'tls',
  /** What the passwords of the stores' users are made from. */
  storeKeys: 'store-keys.json',
  hosts: 'hosts',
  log: 'log',
  prometheusConfiguration: 'prometheus.yml',
  prometheusRules: 'alerting-rules.yml',
  /** The rules of the stack, as Prometheus evaluates them. */
  deployedRules: 'deployed-rules.yml',
  /** Whom Prometheus sends alerts to. */
  alertmanagers: 'alertmanagers.json',
  alertmanagerConfigurations: 'alertmanager',
  storeExporter: 'store-exporter.yml',
  prometheusSocket: 'prometheus.sock',
  synthesisHash: 'cdk.hash',
  /** What AWS would not have known, of a request or an answer; one a line, and each once. */
  violations: 'violations',
} as const;

/** The socket that takes a host's power commands; it lies outside the host's namespaces. */
export function powerSocket(directory: string, hostName: string): string {
  return join(directory, OWN_FILES.hosts, `${hostName}.power`);
}

/** Replaces a file in one step: a reader sees the old content or the new one, never a part. */
export function writeAtomically(path: string, content: string, mode = 0o600): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.new`;
  writeFileSync(temporary, content, { mode });
  renameSync(temporary, path);
}

export function writeJson(path: string, value: unknown): void {
  writeAtomically(path, `${JSON.stringify(value, null, 2)}\n`);
}

export function noteViolation(directory: string, violation: string): void {
  if (readViolations(directory).includes(violation)) return;
  console.error(`violation: ${violation}`);
  appendFileSync(join(directory, OWN_FILES.violations), `${violation}\n`);
}

/** Empty while all that was said between the system and the lab could have been said to AWS. */
export function readViolations(directory: string): string[] {
  const file = join(directory, OWN_FILES.violations);
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
}
