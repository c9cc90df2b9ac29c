import { readAlarmStates } from '../aws/alarm-states.ts';
import { canaryRuns } from '../aws/canary-runs.ts';
import { readChangeCalendar } from '../aws/change-calendar.ts';
import { autoScalingClient, cloudWatchClient, ec2Client, fisClient, ssmClient } from '../aws/clients.ts';
import { openStore } from '../aws/cluster-access.ts';
import { loadConfiguration } from '../aws/configuration.ts';
import { activeFisExperiments } from '../aws/fis/experiments.ts';
import { instanceStoreOf } from '../aws/instance-store.ts';
import type { AdmitRequest } from '../aws/invoke-admit.ts';
import { listLiveNodes } from '../aws/live-nodes.ts';
import { telemetryOpener } from '../aws/open-telemetry.ts';
import { readScalingGroups } from '../aws/scaling-groups.ts';
import { interfacesIn } from '../aws/subnet-interfaces.ts';
import { auditReader, killSwitches, locks, records } from '../aws/wiring.ts';
import type { Admission } from '../domain/admission.ts';
import { evaluate } from '../domain/guardrails.ts';
import { ENVIRONMENT } from '../domain/names.ts';
import { environmentVariable } from '../runtime/environment.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { telemetryAddresses } from '../telemetry/addresses.ts';
import { readBaseline } from '../telemetry/baseline.ts';
import { readChecks } from '../telemetry/check-readings.ts';
import { readControlledTelemetry } from '../telemetry/snapshot.ts';
import { readTrafficShare } from '../telemetry/traffic-share.ts';
import { admit } from './admit.ts';
import { type AdmissionPorts, toleratingLock } from './ports.ts';

const configuration = loadConfiguration();
const [switches, lockTable] = [killSwitches(), locks()];

/** Of one admission: what its telemetry is opened with is read once. */
const portsWith = (openTelemetry: ReturnType<typeof telemetryOpener>): AdmissionPorts => ({
  engagedSwitch: (clusterName) => switches.engaged([clusterName]),
  lockHolder: (clusterName) => lockTable.holder(clusterName),
  listLiveNodes: (cluster) => listLiveNodes(ec2Client(), cluster, configuration),
  readTopology: async (cluster, nodes) => (await openStore(cluster)).readTopology(nodes),
  readGuardrails: async (name, cluster) => {
    const telemetry = openTelemetry(cluster);
    const baseline = await readBaseline(telemetry, cluster);
    return evaluate({ name, cluster }, await readControlledTelemetry(telemetry, cluster), baseline);
  },
  readChecks: (name, cluster, hypothesis) =>
    readChecks(openTelemetry(cluster), { name, cluster }, hypothesis, systemClock),
  readTrafficShare: (cluster, hit) => readTrafficShare(openTelemetry(cluster), cluster, hit),
  exemptAddresses: (cluster) => telemetryAddresses(cluster, configuration),
  readAlarmStates: (names) => readAlarmStates(cloudWatchClient(), names),
  changeCalendar: (name) => readChangeCalendar(ssmClient(), name),
  // Their tables are given to it only where a cluster comes after a canary.
  runsOn: (clusterName, kind, sinceEpochMs) =>
    canaryRuns(clusterName, kind, sinceEpochMs, { records: records(), audit: auditReader() }),
  interfacesIn: (subnetIds) => interfacesIn(ec2Client(), subnetIds),
  instanceStoreOf: (instanceIds) => instanceStoreOf(ec2Client(), instanceIds),
  scalingGroups: (names) => readScalingGroups(autoScalingClient(), names),
  activeFisExperiments: () => activeFisExperiments(fisClient()),
});

const documentPrefix = environmentVariable(ENVIRONMENT.documentPrefix);

export function handler({ experiment, heldBy, caller }: AdmitRequest): Promise<Admission> {
  return admit(
    experiment,
    configuration,
    toleratingLock(portsWith(telemetryOpener()), heldBy),
    systemClock,
    documentPrefix,
    caller,
    { isAnnounced: heldBy !== undefined },
  );
}
