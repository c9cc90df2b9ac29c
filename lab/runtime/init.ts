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
import { GATEWAY_PORT, SERVICES } from '../shared/topology.ts';
import { waitFor } from '../shared/wait-for.ts';
import { GATEWAYS, waitForGateways } from '../traffic/gateways.ts';
import { PROMETHEUS_URL, prometheusCommand, waitForBaseline, waitForPrometheus } from '../traffic/prometheus.ts';
import { createCertificates } from './certificates.ts';
import { labDirectory } from './directory.ts';
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

const AWS_TIMEOUT_SECONDS = 60;
/** Lambdas start on the same few cores as the system under test, which must not feel it. */
const AWS_NICENESS = 5;
const TRAFFIC_NICENESS = -5;

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
  const start = (engine: FleetEngine) =>
    engine.hosts.map((host) => {
      const token = withAgents ? tokens.get(host.instanceId) : undefined;
      return startHost(directory, host, engine.contentOf(host, keys), token);
    });
  const hosts = await step(`${FLEET_HOSTS.length} hosts`, () => Promise.all(ENGINES.flatMap(start)));
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
  for (const { name } of GATEWAYS) {
    parts.start(name, [process.execPath, 'lab/traffic/gateway.ts'], {
      namespace: name,
      niceness: TRAFFIC_NICENESS,
      environment: { GATEWAY_NAME: name },
    });
  }
  // Before the load: its first requests would fail and stand in the baseline.
  await step('gateways serve', waitForGateways);
  const targets = GATEWAYS.map(({ name }) => `http://${name}:${GATEWAY_PORT}`).join(',');
  parts.start('load', [process.execPath, 'lab/traffic/load.ts'], {
    namespace: 'load',
    niceness: TRAFFIC_NICENESS,
    environment: { TARGETS: targets },
  });
  await step('20 s of traffic measured', waitForBaseline);
}

async function startAws(): Promise<void> {
  await step('AWS side ready', async () => {
    parts.start('aws', [process.execPath, 'lab/aws/main.ts'], { niceness: AWS_NICENESS });
    await waitFor('AWS side', AWS_TIMEOUT_SECONDS, () =>
      existsSync(join(directory, LAB_FILES.awsReady)) ? undefined : `${LAB_FILES.awsReady} is not there yet`,
    );
  });
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
  emit({
    type: 'ready',
    hosts: Object.fromEntries(hosts.map((host) => [host.host.name, host.initPid])),
    parts: { inside: process.pid, ...parts.pids() },
  });
}

async function startMetrics(): Promise<void> {
  parts.start('prometheus', prometheusCommand(directory), { namespace: 'prometheus', niceness: TRAFFIC_NICENESS });
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
