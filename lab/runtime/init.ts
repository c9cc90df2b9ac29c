/**
 * First process of the lab's namespaces: builds everything from the network up and stays. When it ends, by any death,
 * the kernel ends every process, mount and network of the lab with it. Started by supervisor.ts.
 *
 * stdin: a pipe that ends when the supervisor dies. stdout: one JSON `InitEvent` a line. stderr: the supervisor's log.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { onHost, type RunningHost, startHost } from '../fleet/hosts.ts';
import { redisStore, type StoreSecret, writeStoreSecret } from '../fleet/redis/configuration.ts';
import { waitForReplication, waitForSentinels } from '../fleet/redis/health.ts';
import { LAB_FILES, OWN_FILES, writeJson } from '../shared/files.ts';
import { GATEWAY_PORT, REDIS_HOSTS, SENTINEL_UNIT, SERVICES } from '../shared/topology.ts';
import { waitFor } from '../shared/wait-for.ts';
import { waitForGateways } from '../traffic/gateways.ts';
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
  const secret: StoreSecret = { username: 'holdfast', password: randomBytes(24).toString('hex') };
  writeStoreSecret(directory, secret);
  const tokens = new Map(REDIS_HOSTS.map((host) => [host.instanceId, randomBytes(24).toString('hex')]));
  writeJson(join(directory, OWN_FILES.agents), Object.fromEntries(tokens));
  const hosts = await step('12 hosts', () =>
    Promise.all(
      REDIS_HOSTS.map((host) =>
        startHost(directory, host, redisStore(host, secret), withAgents ? tokens.get(host.instanceId) : undefined),
      ),
    ),
  );
  for (const host of hosts) {
    parts.watch(
      host.host.name,
      host.process,
      join(directory, OWN_FILES.log, `${host.host.name}-init.log`),
      host.initPid,
    );
  }
  await step('4 shards replicate', () => waitForReplication(secret));
  await step('12 Sentinels agree', async () => {
    await Promise.all(
      hosts.map((host) =>
        runToEnd(onHost(host.initPid, ['systemctl', 'start', SENTINEL_UNIT]), { timeoutSeconds: 30 }),
      ),
    );
    await waitForSentinels(secret);
  });
  return hosts;
}

async function startTraffic(): Promise<void> {
  const gateways = SERVICES.map((service) => service.name).filter((name) => name.startsWith('gateway-'));
  for (const name of gateways) {
    parts.start(name, [process.execPath, 'lab/traffic/gateway.ts'], {
      namespace: name,
      niceness: TRAFFIC_NICENESS,
      environment: { GATEWAY_NAME: name, GATEWAY_PORT: String(GATEWAY_PORT) },
    });
  }
  // Before the load: its first requests would fail and stand in the baseline.
  await step('gateways serve', waitForGateways);
  const targets = gateways.map((name) => `http://${name}:${GATEWAY_PORT}`).join(',');
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
  await step('network of 18 namespaces', () => {
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
