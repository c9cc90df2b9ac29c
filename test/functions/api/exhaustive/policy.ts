/**
 * What no request may get, stated anew: this file knows nothing of the product, so that a rule that is lost there is
 * still here. It reads a payload as a person would.
 */
export interface World {
  killSwitchEngaged: boolean;
  lockedBy: string | undefined;
  alarmState: string;
  guardrailBreached: boolean;
  trafficShare: number;
}
export const CLUSTERS = {
  'redis-master': { production: true, maxNodes: 1, maxShare: 0.1, maxSeconds: 300, disposable: false },
  staging: { production: false, maxNodes: 6, maxShare: 1, maxSeconds: 600, disposable: true },
} as const;
const FLEET = Array.from({ length: 12 }, (_, index) => `redis-node-${index + 1}`);
/** Three nodes a shard; two must stay. */
const shardOf = (node: string) => Math.floor(FLEET.indexOf(node) / 3);
export const WITH_INSTANCE_STORE = 'redis-node-5';
export const IN_SCALING_GROUP = 'redis-node-6';
export const WITH_TELEMETRY = 'redis-node-9';
const BY_FIS = ['INSTANCE_STOP', 'INSTANCE_REBOOT', 'VOLUME_PAUSE_IO', 'VOLUME_LATENCY', 'AZ_DISCONNECT'];
const ON_STAGING_ONLY = ['AZ_DISCONNECT'];
const MAX_DRIFT_WITH_DATA_MS = 500;

type Part = Record<string, unknown>;
interface Hit {
  cluster: string;
  action: string;
  nodes: string[];
  parameters: Part;
}

/** Why nothing may be done for this payload in this world, or undefined. */
export function forbidden(payload: unknown, world: World): string | undefined {
  if (world.killSwitchEngaged) return 'the kill switch is engaged';
  if (world.lockedBy !== undefined) return 'another experiment runs';
  if (world.alarmState !== 'OK') return 'an alarm is not OK';
  if (world.guardrailBreached) return 'a guardrail is breached';
  if (!isPart(payload)) return 'it is no object';
  const hits = hitsOf(payload);
  if (hits.length === 0 || hits.length > 10) return 'it has no fault, or too many';
  const { durationSeconds, experimentId, safetyThreshold } = payload;
  if (typeof experimentId !== 'string' || !/^[\w-]{1,50}$/.test(experimentId) || experimentId === 'GLOBAL')
    return 'its id';
  if (!isPart(safetyThreshold) || typeof safetyThreshold.automaticRollbackOnAlert !== 'boolean') return 'its threshold';
  if (!Number.isInteger(durationSeconds) || Number(durationSeconds) < 1) return 'its duration';
  for (const hit of hits) {
    const cluster = clusterOf(hit.cluster);
    if (!cluster) return `no cluster ${hit.cluster}`;
    if (Number(durationSeconds) > cluster.maxSeconds) return 'it is too long';
    const stranger = hit.nodes.find((node) => !FLEET.includes(node));
    if (stranger !== undefined || hit.nodes.length === 0) return `no node ${stranger}`;
    if (hit.nodes.includes(WITH_TELEMETRY)) return 'telemetry is on a target';
    if (BY_FIS.includes(hit.action) && hit.nodes.includes(IN_SCALING_GROUP)) return 'it would be replaced';
    if (hit.action === 'INSTANCE_STOP' && hit.nodes.includes(WITH_INSTANCE_STORE)) return 'its data would be lost';
    if (ON_STAGING_ONLY.includes(hit.action) && cluster.production) return 'not in production';
    if (hit.action === 'INSTANCE_TERMINATE') return 'nobody could say that it was replaced';
    const drift = Math.abs(Number(hit.parameters.offsetMs ?? 0));
    if (drift > MAX_DRIFT_WITH_DATA_MS && !cluster.disposable) return 'the clock drifts too far';
  }
  for (const name of new Set(hits.map(({ cluster }) => cluster))) {
    const cluster = clusterOf(name);
    const nodes = [...new Set(hits.filter((hit) => hit.cluster === name).flatMap((hit) => hit.nodes))];
    if (nodes.length > (cluster?.maxNodes ?? 0)) return 'too many nodes';
    if (world.trafficShare > (cluster?.maxShare ?? 0)) return 'too much traffic';
    if (nodes.some((node) => nodes.filter((other) => shardOf(other) === shardOf(node)).length > 1))
      return 'too much of a shard';
  }
  return undefined;
}

function hitsOf(payload: Part): Hit[] {
  const faults = Array.isArray(payload.faults) ? payload.faults : [payload];
  return faults.flatMap((fault: unknown) => {
    if (!isPart(fault) || !isPart(fault.parameters)) return [];
    const { targetService, action, parameters } = fault;
    return [{ cluster: String(targetService), action: String(action), parameters, nodes: nodesOf(parameters) }];
  });
}

/** The smaller group of a partition, the second of two that are equal. */
function nodesOf({ targetNodes, targetPartitionGroupA: a, targetPartitionGroupB: b }: Part): string[] {
  const list = (value: unknown) => (Array.isArray(value) ? value.map(String) : []);
  if (targetNodes !== undefined) return list(targetNodes);
  return list(a).length < list(b).length ? list(a) : list(b);
}

function clusterOf(name: string) {
  return Object.entries(CLUSTERS).find(([known]) => known === name)?.[1];
}

function isPart(value: unknown): value is Part {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
