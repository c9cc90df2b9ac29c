/**
 * First process of the lab's namespaces: builds everything from the network up and stays. When it ends, by any death,
 * the kernel ends every process, mount and network of the lab with it. Started by supervisor.ts.
 *
 * stdin: a pipe that ends when the supervisor dies. stdout: one JSON `InitEvent` a line. stderr: the supervisor's log.
 */

import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { FleetEngine } from '../fleet/engine.ts';
import { ENGINES, FLEET_HOSTS } from '../fleet/fleet.ts';
import { onHost, type RunningHost, startHost } from '../fleet/hosts.ts';
import { createStoreKeys } from '../fleet/store-keys.ts';
import { LAB_FILES, OWN_FILES, writeJson } from '../shared/files.ts';
import { NICENESS, prioritizeSession } from '../shared/niceness.ts';
import { ALERTMANAGER_PORT, GATEWAY_PORT, PROMETHEUS_URL, SERVICES } from '../shared/topology.ts';
import { waitFor } from '../shared/wait-for.ts';
import { alertmanagerCommand, sendAlertsTo, waitForAlertmanager } from '../traffic/alertmanager.ts';
import { CONSUMERS, INGESTS, waitForConsumers } from '../traffic/consumers.ts';
import { GATEWAYS, waitForGateways } from '../traffic/gateways.ts';
import { workersPerShard } from '../traffic/http-gateway.ts';
import {
  deployRules,
  PROMETHEUS_NAMESPACE,
  prometheusCommand,
  waitForBaseline,
  waitForPrometheus,
} from '../traffic/prometheus.ts';
import { writerNamed } from '../traffic/receipts.ts';
import { storeExporterCommand } from '../traffic/store-exporter.ts';
import { createCertificates } from './certificates.ts';
import { labDirectory } from './directory.ts';
import { type AwsReady, readAwsReady } from './lab-file.ts';
import { createNetwork } from './network.ts';
import { Parts, runToEnd } from './parts.ts';
import { relay } from './relay.ts';
import { synthesize } from './synthesis.ts';

/**
 * How much of the lab is started: `fleet` is hosts, stores and Prometheus; `traffic` adds gateways and load; `all` the
 * synthesized system and the AWS side as well.
 */
const LAB_SCOPES = ['fleet', 'traffic', 'all'] as const;
export type LabScope = (typeof LAB_SCOPES)[number];

export type InitEvent =
  | { type: 'progress'; text: string }
  | { type: 'ready'; hosts: Record<string, number>; parts: Record<string, number> }
  | { type: 'died'; reason: string };

/** Its processes start on what stores and traffic leave of the same two cores: beside six JVMs that takes more than a minute. */
const AWS_TIMEOUT_SECONDS = 150;

const directory = labDirectory();
const parts = new Parts(directory, (reason) => emit({ type: 'died', reason }));

function emit(event: InitEvent): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

async function step<T>(what: string, work: () => T | Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await work();
  emit({ type: 'progress', text: `${what} (${((performance.now() - start) / 1000).toFixed(1)} s)` });
  return result;
}

/** @throws Error naming the scopes there are. */
function parseScope(value: string | undefined): LabScope {
  const scope = LAB_SCOPES.find((known) => known === value);
  if (scope === undefined) throw new Error(`LAB_SCOPE: ${value} is none of ${LAB_SCOPES.join(', ')}`);
  return scope;
}

async function startFleet(withAgents: boolean): Promise<RunningHost[]> {
  const keys = createStoreKeys(directory);
  const secrets = Object.assign({}, ...ENGINES.map((engine) => engine.secrets(keys)));
  writeJson(join(directory, LAB_FILES.secrets), secrets);
  const tokens = new Map(FLEET_HOSTS.map((host) => [host.instanceId, randomBytes(24).toString('hex')]));
  writeJson(join(directory, OWN_FILES.agents), Object.fromEntries(tokens));
  const start = async (engine: FleetEngine) => {
    const contentOf = await engine.contents(keys);
    return Promise.all(
      engine.hosts.map((host) => {
        const token = withAgents ? tokens.get(host.instanceId) : undefined;
        return startHost(directory, host, contentOf(host), token);
      }),
    );
  };
  const started = await step(`${FLEET_HOSTS.length} hosts`, () => Promise.all(ENGINES.map(start)));
  const hosts = started.flat();
  for (const { host, process, initPid } of hosts) {
    parts.watch(host.name, process, join(directory, OWN_FILES.log, `${host.name}-init.log`), initPid);
  }
  const readiness = ENGINES.map(async (engine) => {
    const own = hosts.filter(({ host }) => engine.hosts.includes(host));
    const startUnit = async (unit: string): Promise<void> => {
      const argv = ['systemctl', 'start', unit];
      await Promise.all(own.map(({ initPid }) => runToEnd(onHost(initPid, argv), { timeoutSeconds: 30 })));
    };
    for (const { what, work } of engine.readinessSteps(keys, startUnit)) await step(what, work);
  });
  await Promise.all(readiness);
  return hosts;
}

async function startTraffic(): Promise<void> {
  // Refused here, in words, and not by each process.
  writerNamed(process.env.LAB_CONSUMER_BREAKER);
  workersPerShard(process.env.LAB_GATEWAY_BULKHEAD, []);
  for (const { name } of GATEWAYS) {
    parts.start(name, [process.execPath, 'lab/traffic/gateway.ts'], {
      namespace: name,
      niceness: NICENESS.serving,
      environment: { GATEWAY_NAME: name },
    });
  }
  for (const { name, namespace, port } of CONSUMERS) {
    parts.start(name, [process.execPath, 'lab/traffic/consumer.ts'], {
      namespace,
      niceness: NICENESS.serving,
      environment: { CONSUMER_NAME: name, METRICS_PORT: String(port) },
    });
  }
  for (const { name, namespace } of INGESTS) {
    parts.start(name, [process.execPath, 'lab/traffic/ingest.ts'], { namespace, niceness: NICENESS.serving });
  }
  // Before the load: its first requests would fail and stand in the baseline.
  await Promise.all([
    step('gateways serve', waitForGateways),
    CONSUMERS.length > 0 ? step('consumers write receipts', waitForConsumers) : undefined,
  ]);
  const targets = GATEWAYS.map(({ name }) => `http://${name}:${GATEWAY_PORT}`).join(',');
  parts.start('load', [process.execPath, 'lab/traffic/load.ts'], {
    namespace: 'load',
    niceness: NICENESS.serving,
    environment: { TARGETS: targets },
  });
  await step('20 s of traffic measured', waitForBaseline);
}

async function startAws(): Promise<void> {
  await step('AWS side ready', async () => {
    parts.start('aws', [process.execPath, 'lab/aws/main.ts'], { niceness: NICENESS.serving });
    await waitFor('AWS side', AWS_TIMEOUT_SECONDS, () =>
      existsSync(join(directory, LAB_FILES.awsReady)) ? undefined : `${LAB_FILES.awsReady} is not there yet`,
    );
  });
  const { amp } = readAwsReady(directory);
  if (amp) await startAlerting(amp);
}

/** What the stack deploys to AMP runs here. */
async function startAlerting({
  rules,
  alertmanager: configuration,
  credentials,
}: NonNullable<AwsReady['amp']>): Promise<void> {
  const interval = ruleIntervalSeconds(process.env.LAB_RULE_INTERVAL_SECONDS);
  const pace = interval === undefined ? '' : `; rules are evaluated every ${interval} s, which AMP would not do`;
  await step(`alerting rules and Alertmanager as deployed${pace}`, async () => {
    const deployed = { name: 'alertmanager', port: ALERTMANAGER_PORT, configuration, credentials };
    const { argv, ...options } = alertmanagerCommand(directory, deployed);
    parts.start(deployed.name, argv, { ...options, niceness: NICENESS.serving });
    deployRules(directory, rules, interval);
    sendAlertsTo(directory, [deployed.port]);
    process.kill(parts.pidOf('prometheus'), 'SIGHUP');
    await waitForAlertmanager(deployed);
  });
}

/** @throws Error for what is no number of seconds. */
function ruleIntervalSeconds(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d?$/.test(text)) return Number(text);
  throw new Error(`LAB_RULE_INTERVAL_SECONDS: ${text} is not a whole number from 1 to 99`);
}

async function buildLab(scope: LabScope): Promise<void> {
  mkdirSync(directory, { recursive: true });
  await step(`network of ${FLEET_HOSTS.length + SERVICES.length + 1} namespaces`, () => {
    createCertificates(directory);
    createNetwork();
  });
  const [withTraffic, withAws] = [scope !== 'fleet', scope === 'all'];
  // Before there is traffic: a busy machine must not stand in the baseline.
  const synthesis = withAws ? step('system synthesized', () => synthesize(directory)) : Promise.resolve(false);
  const fleet = startFleet(withAws);
  const [hosts] = await Promise.all([fleet, synthesis, startMetrics()]);
  await Promise.all([withTraffic ? startTraffic() : undefined, withAws ? startAws() : undefined]);
  const death = parts.death();
  if (death !== undefined) throw new Error(death);
  // Not before: synthesis and starts would keep stores from starting.
  prioritizeSession(NICENESS.serving);
  emit({
    type: 'ready',
    hosts: Object.fromEntries(hosts.map((host) => [host.host.name, host.initPid])),
    parts: { inside: process.pid, ...parts.pids() },
  });
}

async function startMetrics(): Promise<void> {
  parts.start('prometheus', prometheusCommand(directory), {
    namespace: PROMETHEUS_NAMESPACE,
    niceness: NICENESS.serving,
  });
  const exporter = storeExporterCommand(directory);
  if (exporter)
    parts.start('store-exporter', exporter, { namespace: PROMETHEUS_NAMESPACE, niceness: NICENESS.serving });
  await waitForPrometheus();
  const { hostname, port } = new URL(PROMETHEUS_URL);
  await relay({ path: join(directory, OWN_FILES.prometheusSocket) }, { host: hostname, port: Number(port) });
}

process.stdin.resume().once('close', () => process.exit(1));
try {
  await buildLab(parseScope(process.env.LAB_SCOPE));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  emit({ type: 'died', reason: error instanceof Error ? error.message : String(error) });
  // Flush the line before the namespaces end with this process.
  process.stdout.end(() => process.exit(1));
}
