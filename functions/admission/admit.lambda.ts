import type { Experiment } from '../experiment/experiment.ts';
import { activeServiceExperiments } from '../fault/fis-experiments.ts';
import { readBaseline } from '../guard/baseline.ts';
import { evaluate } from '../guard/guardrails.ts';
import { PrometheusClient, readTelemetry, readTrafficShare } from '../guard/prometheus.ts';
import { cloudWatchClient, ec2Client, fisClient } from '../shared/clients.ts';
import { loadConfiguration } from '../shared/configuration.ts';
import { requireEnv } from '../shared/env.ts';
import { systemClock } from '../shared/system-clock.ts';
import { openStore } from '../target/dependencies.ts';
import { listLiveNodes } from '../target/ec2-nodes.ts';
import { instanceStoreOf } from '../target/instance-store.ts';
import { interfacesIn } from '../target/subnet-interfaces.ts';
import { addressesOf } from '../target/telemetry-addresses.ts';
import { type Admission, admit } from './admit.ts';
import { readAlarmStates } from './alarm-states.ts';
import type { AdmissionPorts } from './ports.ts';
import { clusterLocks, leaseStore } from './stores-from-env.ts';

const configuration = loadConfiguration();
const leases = leaseStore();
const locks = clusterLocks();

const ports: AdmissionPorts = {
  killSwitchEngaged: () => leases.killSwitchEngaged(),
  lockHolder: (clusterName) => locks.holder(clusterName),
  listLiveNodes: (cluster) => listLiveNodes(ec2Client(), cluster, configuration),
  readTopology: async (cluster, nodes) => (await openStore(cluster)).readTopology(nodes),
  readGuardrails: async (name, cluster) => {
    const telemetry = new PrometheusClient(cluster.telemetry.prometheusUrl);
    const baseline = await readBaseline(telemetry, cluster);
    return evaluate({ name, cluster }, await readTelemetry(telemetry, cluster), baseline);
  },
  readTrafficShare: (cluster, shards) =>
    readTrafficShare(new PrometheusClient(cluster.telemetry.prometheusUrl), cluster, shards),
  exemptAddresses: (cluster) => addressesOf(cluster.telemetry.prometheusUrl),
  readAlarmStates: (names) => readAlarmStates(cloudWatchClient(), names),
  interfacesIn: (subnetIds) => interfacesIn(ec2Client(), subnetIds),
  instanceStoreOf: (instanceIds) => instanceStoreOf(ec2Client(), instanceIds),
  activeServiceExperiments: () => activeServiceExperiments(fisClient()),
};

const documentPrefix = requireEnv('HOLDFAST_DOCUMENT_PREFIX');

export function handler({ experiment }: { experiment: Experiment }): Promise<Admission> {
  return admit(experiment, configuration, ports, systemClock, documentPrefix);
}
