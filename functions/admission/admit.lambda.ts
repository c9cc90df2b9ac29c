import { readAlarmStates } from '../aws/alarm-states.ts';
import { autoScalingClient, cloudWatchClient, ec2Client, fisClient } from '../aws/clients.ts';
import { openStore } from '../aws/cluster-access.ts';
import { loadConfiguration } from '../aws/configuration.ts';
import { activeFisExperiments } from '../aws/fis/experiments.ts';
import { instanceStoreOf } from '../aws/instance-store.ts';
import { listLiveNodes } from '../aws/live-nodes.ts';
import { readScalingGroups } from '../aws/scaling-groups.ts';
import { interfacesIn } from '../aws/subnet-interfaces.ts';
import { leases, locks } from '../aws/wiring.ts';
import type { Admission } from '../domain/admission.ts';
import type { Experiment } from '../domain/experiment.ts';
import { evaluate } from '../domain/guardrails.ts';
import { ENVIRONMENT } from '../domain/names.ts';
import { environmentVariable } from '../runtime/environment.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { telemetryAddresses } from '../telemetry/addresses.ts';
import { readBaseline } from '../telemetry/baseline.ts';
import { readChecks } from '../telemetry/check-readings.ts';
import { PrometheusClient } from '../telemetry/prometheus.ts';
import { readControlledTelemetry } from '../telemetry/snapshot.ts';
import { readTrafficShare } from '../telemetry/traffic-share.ts';
import { admit } from './admit.ts';
import type { AdmissionPorts } from './ports.ts';

const configuration = loadConfiguration();
const [leaseTable, lockTable] = [leases(), locks()];

const ports: AdmissionPorts = {
  killSwitchEngaged: () => leaseTable.killSwitchEngaged(),
  lockHolder: (clusterName) => lockTable.holder(clusterName),
  listLiveNodes: (cluster) => listLiveNodes(ec2Client(), cluster, configuration),
  readTopology: async (cluster, nodes) => (await openStore(cluster)).readTopology(nodes),
  readGuardrails: async (name, cluster) => {
    const telemetry = new PrometheusClient(cluster.telemetry.prometheusUrl, systemClock);
    const baseline = await readBaseline(telemetry, cluster);
    return evaluate({ name, cluster }, await readControlledTelemetry(telemetry, cluster), baseline);
  },
  readChecks: (name, cluster, hypothesis) =>
    readChecks(
      new PrometheusClient(cluster.telemetry.prometheusUrl, systemClock),
      { name, cluster },
      hypothesis,
      systemClock,
    ),
  readTrafficShare: (cluster, shards) =>
    readTrafficShare(new PrometheusClient(cluster.telemetry.prometheusUrl, systemClock), cluster, shards),
  exemptAddresses: (cluster) => telemetryAddresses(cluster, configuration),
  readAlarmStates: (names) => readAlarmStates(cloudWatchClient(), names),
  interfacesIn: (subnetIds) => interfacesIn(ec2Client(), subnetIds),
  instanceStoreOf: (instanceIds) => instanceStoreOf(ec2Client(), instanceIds),
  scalingGroups: (names) => readScalingGroups(autoScalingClient(), names),
  activeFisExperiments: () => activeFisExperiments(fisClient()),
};

const documentPrefix = environmentVariable(ENVIRONMENT.documentPrefix);

export function handler({ experiment }: { experiment: Experiment }): Promise<Admission> {
  return admit(experiment, configuration, ports, systemClock, documentPrefix);
}
