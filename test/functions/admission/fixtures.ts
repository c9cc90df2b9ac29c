import type { AdmissionPorts } from '../../../functions/admission/ports.ts';
import type { LiveNode } from '../../../functions/domain/targets.ts';
import { reading } from '../domain/fixtures.ts';
import { interfaceOf, liveNode, shardOf, topologyOf } from '../domain/target-fixtures.ts';

/** Twelve nodes in four shards of three, the last of each its master. */
export const nodes: LiveNode[] = Array.from({ length: 12 }, (_, index) =>
  liveNode(index + 1, { addresses: [`10.0.0.${index + 1}`], dataVolumeIds: [`vol-${index + 1}`] }),
);
export const shards = [3, 6, 9, 12].map((master, index) =>
  shardOf(`shard-${index + 1}`, `redis-node-${master}`, `redis-node-${master - 2}`, `redis-node-${master - 1}`),
);
export const readings = ['errorRatePct', 'p99WriteLatencyMs', 'freeWorkersPct'].map((name) => reading(name));

/** A deployment in which nothing speaks against an experiment, but for what is changed. */
export function portsOf(changes: Partial<AdmissionPorts> = {}): AdmissionPorts {
  return {
    engagedSwitch: async () => undefined,
    lockHolder: async () => undefined,
    listLiveNodes: async () => nodes,
    readTopology: async () => topologyOf(shards),
    readGuardrails: async () => readings,
    readChecks: async () => [],
    readTrafficShare: async () => 0.003,
    exemptAddresses: async () => ['10.0.9.9'],
    readAlarmStates: async (names) => new Map(names.map((name) => [name, 'OK'])),
    changeCalendar: async () => ({ state: 'OPEN' }),
    runsOn: async () => [],
    interfacesIn: async (subnetIds) => nodes.filter(({ subnetId }) => subnetIds.includes(subnetId)).map(interfaceOf),
    instanceStoreOf: async () => [],
    scalingGroups: async () => [],
    activeFisExperiments: async () => 0,
    ...changes,
  };
}
